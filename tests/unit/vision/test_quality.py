import cv2
import numpy as np
import pytest

from beholden.core.faces import Quality
from beholden.vision.align import chips
from beholden.vision.quality import assess
from tests import pictures

NAMES = list(pictures.LANDMARKS)


def chip(name: str) -> np.ndarray:
    (cut,) = chips(pictures.pixels(name), pictures.landmarks(name))
    return cut


def quality(face: np.ndarray) -> Quality:
    (found,) = assess(face[None])
    return found


def noisy(face: np.ndarray, strength: float) -> np.ndarray:
    noise = np.random.default_rng(2).normal(0, strength, face.shape)
    return np.clip(face + noise, 0, 255).astype(np.uint8)


def blurred(face: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(face, (0, 0), sigma) if sigma else face


@pytest.mark.parametrize("name", NAMES)
class TestRealFaces:
    def test_are_sharp_and_lit(self, name: str) -> None:
        found = quality(chip(name))
        assert 0.25 < found.brightness < 0.85
        assert found.sharpness > 0.5

    def test_lose_sharpness_by_blur_alone(self, name: str) -> None:
        found = [quality(blurred(chip(name), sigma)) for sigma in (0, 1, 1.5, 2, 3, 4, 6)]
        sharpness = [one.sharpness for one in found]
        assert sharpness == sorted(set(sharpness), reverse=True)
        assert sharpness[4] < 0.4
        assert sharpness[6] < 0.12
        assert np.ptp([one.brightness for one in found]) < 0.01

    def test_lose_brightness_by_darkness_and_hardly_sharpness(self, name: str) -> None:
        face = chip(name)
        found = [quality((face * share).astype(np.uint8)) for share in (1, 0.7, 0.4, 0.2)]
        brightness = [one.brightness for one in found]
        assert brightness == pytest.approx(
            [brightness[0] * share for share in (1, 0.7, 0.4, 0.2)], abs=0.01
        )
        assert found[3].sharpness > 0.8 * found[0].sharpness

    def test_lose_sharpness_by_being_small(self, name: str) -> None:
        found = []
        for side in (150, 60, 30, 15):
            small = cv2.resize(chip(name), (side, side), interpolation=cv2.INTER_AREA)
            found.append(quality(cv2.resize(small, (150, 150))).sharpness)
        assert found == sorted(set(found), reverse=True)
        assert found[-1] < 0.3

    def test_are_not_made_sharp_by_noise(self, name: str) -> None:
        assert quality(noisy(blurred(chip(name), 3), 5)).sharpness < 0.45


@pytest.mark.parametrize(("value", "brightness"), [(0, 0.0), (51, 0.2), (255, 1.0)])
def test_a_blank_face_has_brightness_and_no_sharpness(value: int, brightness: float) -> None:
    found = quality(np.full((150, 150, 3), value, np.uint8))
    assert found.brightness == pytest.approx(brightness, abs=0.005)
    assert found.sharpness < 1e-9


def test_the_noise_of_a_black_face_is_no_detail() -> None:
    assert quality(noisy(np.zeros((150, 150, 3)), 2)).sharpness < 0.6


def test_what_lies_around_the_face_does_not_count() -> None:
    face = chip("astronaut")
    framed = np.zeros_like(face)
    framed[30:120, 30:120] = face[30:120, 30:120]
    assert quality(framed) == quality(face)


def test_each_of_many() -> None:
    faces = np.stack((chip("astronaut"), np.zeros((150, 150, 3), np.uint8)))
    assert assess(faces) == (quality(faces[0]), quality(faces[1]))
    assert assess(faces[:0]) == ()
