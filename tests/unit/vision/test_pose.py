import numpy as np
import pytest

from beholden.vision.align import TEMPLATE
from beholden.vision.pose import FACE, estimate_poses
from tests import pictures

MIRRORED = (1, 0, 2, 4, 3)


def seen(roll: float, yaw: float, pitch: float) -> np.ndarray:
    """The generic face turned by these angles, as a distant camera sees it: (1, 5, 2) pixels."""
    r, y, p = np.radians((roll, -yaw, -pitch))
    turn = (
        np.array(((np.cos(r), -np.sin(r), 0), (np.sin(r), np.cos(r), 0), (0, 0, 1)))
        @ np.array(((np.cos(y), 0, np.sin(y)), (0, 1, 0), (-np.sin(y), 0, np.cos(y))))
        @ np.array(((1, 0, 0), (0, np.cos(p), -np.sin(p)), (0, np.sin(p), np.cos(p))))
    )
    return (FACE @ turn.T)[None, :, :2] * 17 + (400, 300)


def angles(points: np.ndarray) -> np.ndarray:
    (pose,) = estimate_poses(points)
    return np.array((pose.roll, pose.yaw, pose.pitch))


def in_pixels(name: str) -> np.ndarray:
    height, width = pictures.pixels(name).shape[:2]
    return pictures.landmarks(name) * (width, height)


@pytest.mark.parametrize(
    "turned",
    [(0, 0, 0), (30, 0, 0), (0, 40, 0), (0, 0, 25), (-20, 35, -15), (170, -60, 30), (-90, 5, 5)],
)
def test_recovers_how_the_generic_face_was_turned(turned: tuple[float, float, float]) -> None:
    assert angles(seen(*turned)) == pytest.approx(turned, abs=1e-6)


def test_signs_are_those_of_the_picture() -> None:
    frontal = seen(0, 0, 0)
    eyes_down_right = frontal.copy()
    eyes_down_right[0, 1, 1] += 20
    assert angles(eyes_down_right)[0] > 0
    for axis, sign, index in ((0, 1, 1), (1, -1, 2)):
        nose_moved = frontal.copy()
        nose_moved[0, 2, axis] += 20
        assert sign * angles(nose_moved)[index] > 5


NAMES = list(pictures.LANDMARKS)


@pytest.mark.parametrize("name", NAMES)
def test_a_mirrored_picture_reverses_yaw_and_roll(name: str) -> None:
    points = in_pixels(name)
    mirrored = (points * (-1, 1))[:, MIRRORED]
    assert angles(mirrored) == pytest.approx(angles(points) * np.array((-1, -1, 1)), abs=1e-6)


@pytest.mark.parametrize("turn", [15, 90, -45])
@pytest.mark.parametrize("name", NAMES)
def test_turning_the_picture_turns_roll_alone(name: str, turn: float) -> None:
    points = in_pixels(name)
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    clockwise = points @ np.array(((c, s), (-s, c)))
    assert angles(clockwise) == pytest.approx(angles(points) + np.array((turn, 0, 0)), abs=1e-6)


def test_size_and_place_do_not_count() -> None:
    points = in_pixels("astronaut")
    assert angles(points * 9 + 1000) == pytest.approx(angles(points), abs=1e-6)


def test_the_mean_face_looks_straight_ahead() -> None:
    assert np.abs(angles(TEMPLATE[None])).max() < 2


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("astronaut", (-2, -10, -10), (10, 10, 10)),
        ("faces/test_images/obama.jpg", (-8, -10, -10), (2, 10, 10)),
        # The head leans to the picture's right, and turns there.
        ("faces/test_images/biden.jpg", (8, 4, -12), (20, 25, 10)),
        ("faces/knn_examples/test/obama1.jpg", (-10, 8, -15), (2, 35, 10)),
        ("faces/knn_examples/train/kit_harington/john2.jpeg", (-10, -40, -15), (4, -12, 10)),
    ],
)
def test_real_faces_are_turned_as_one_sees_them(
    name: str, low: tuple[float, ...], high: tuple[float, ...]
) -> None:
    found = angles(in_pixels(name))
    assert (found > low).all(), found
    assert (found < high).all(), found


def test_points_that_coincide_give_numbers() -> None:
    assert np.isfinite(angles(np.full((1, 5, 2), 3.0))).all()
    assert estimate_poses(np.empty((0, 5, 2))) == ()
