import cv2
import numpy as np
import pytest

from beholden.vision.describe import describe
from beholden.vision.faces import FoundFaces
from tests import pictures


def found(name: str = "astronaut") -> FoundFaces:
    points = pictures.landmarks(name).astype(np.float32)
    box = np.array(((0.35, 0.11, 0.53, 0.35),), np.float32)
    return FoundFaces(box, np.array((0.93,), np.float32), points)


def test_tells_everything_of_a_face() -> None:
    (face,) = describe(pictures.pixels("astronaut"), found())
    assert (face.box.x_min, face.box.y_max) == pytest.approx((0.35, 0.35))
    assert face.confidence == pytest.approx(0.93)
    assert face.landmarks.left_eye.x == pytest.approx(0.3968)
    assert face.landmarks.mouth_right.y == pytest.approx(0.2821)
    assert abs(face.pose.yaw) < 10
    assert face.quality.brightness > 0.5
    assert face.quality.sharpness > 0.5
    assert face.size == pytest.approx(0.18 * 512, abs=1e-3)


def test_the_size_counts_the_full_pictures_pixels() -> None:
    half = cv2.resize(pictures.pixels("astronaut"), (256, 256), interpolation=cv2.INTER_AREA)
    (face,) = describe(half, found(), scale=0.5)
    assert face.size == pytest.approx(0.18 * 512, abs=1e-3)


def test_the_pose_is_that_of_the_picture_not_of_its_shares() -> None:
    picture = pictures.pixels("astronaut")
    wide = np.pad(picture, ((0, 0), (0, 512), (0, 0)))
    points = found().landmarks * (0.5, 1)
    moved = FoundFaces(found().boxes * (0.5, 1, 0.5, 1), found().scores, points)
    (narrow_face,), (wide_face,) = describe(picture, found()), describe(wide, moved)
    assert wide_face.pose.roll == pytest.approx(narrow_face.pose.roll, abs=1e-3)
    assert wide_face.pose.yaw == pytest.approx(narrow_face.pose.yaw, abs=1e-3)
    assert wide_face.quality.sharpness == pytest.approx(narrow_face.quality.sharpness, abs=1e-3)


def test_keeps_the_order_and_bears_none() -> None:
    one = found()
    both = FoundFaces(
        *(
            np.concatenate((a, b))
            for a, b in (
                (one.boxes, one.boxes / 2),
                (one.scores, one.scores / 2),
                (one.landmarks, one.landmarks / 2),
            )
        )
    )
    faces = describe(pictures.pixels("astronaut"), both)
    assert [face.confidence for face in faces] == pytest.approx([0.93, 0.465])
    none = FoundFaces(one.boxes[:0], one.scores[:0], one.landmarks[:0])
    assert describe(pictures.pixels("astronaut"), none) == ()
