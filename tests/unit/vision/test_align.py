import cv2
import numpy as np
import pytest

from beholden.vision.align import (
    ALIGNMENTS,
    CHIP,
    TEMPLATE,
    chips,
    fit_similarity,
    mirror,
    template_for,
)
from tests import pictures


def similarity(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    turn = scale * np.exp(1j * np.radians(angle))
    return np.array(((turn.real, -turn.imag, shift[0]), (turn.imag, turn.real, shift[1])))


def moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    return points @ transform[:, :2].T + transform[:, 2]


class TestFit:
    @pytest.mark.parametrize("angle", [0, 10, -90, 179])
    @pytest.mark.parametrize("scale", [0.1, 1, 7])
    def test_undoes_any_similarity(self, angle: float, scale: float) -> None:
        points = moved(TEMPLATE, similarity(angle, scale, (300, -20)))
        (transform,) = fit_similarity(points[None])
        assert moved(points, transform) == pytest.approx(TEMPLATE, abs=1e-9)

    def test_no_other_similarity_fits_noisy_points_better(self) -> None:
        rng = np.random.default_rng(5)
        points = 3 * TEMPLATE + rng.normal(0, 8, TEMPLATE.shape)
        (best,) = fit_similarity(points[None])

        def loss(transform: np.ndarray) -> float:
            return float(((moved(points, transform) - TEMPLATE) ** 2).sum())

        for angle in (-0.5, 0, 0.5):
            for scale in (0.99, 1, 1.01):
                for shift in ((0, 0), (0.5, 0), (0, -0.5)):
                    change = np.vstack((similarity(angle, scale, shift), (0, 0, 1)))
                    assert loss((np.vstack((best, (0, 0, 1))) @ change)[:2]) >= loss(best) - 1e-9

    def test_fits_many_at_once_and_never_mirrors(self) -> None:
        flipped = TEMPLATE * (-1, 1)
        transforms = fit_similarity(np.stack((TEMPLATE, 2 * TEMPLATE, flipped)))
        assert transforms.shape == (3, 2, 3)
        assert transforms[1, 0, 0] == pytest.approx(0.5)
        assert (np.linalg.det(transforms[:, :, :2]) > 0).all()

    def test_points_that_coincide_give_numbers(self) -> None:
        assert np.isfinite(fit_similarity(np.full((1, 5, 2), 7.0))).all()


def chip_of(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    (chip,) = chips(picture, points)
    return chip


class TestChips:
    def test_landmarks_come_to_lie_on_the_template(self) -> None:
        picture = np.zeros((480, 640, 3), np.uint8)
        points = moved(TEMPLATE, similarity(20, 1.7, (250, 60)))
        for point in points:
            cv2.circle(picture, np.round(point).astype(int).tolist(), 4, (255, 255, 255), -1)
        chip = chip_of(picture, (points[None] + 0.5) / (640, 480))
        count, _, _, centres = cv2.connectedComponentsWithStats(
            (chip[:, :, 0] > 90).astype(np.uint8)
        )
        assert count == 6
        nearest = np.linalg.norm(centres[1:, None] - TEMPLATE[None], axis=2).min(axis=0)
        assert nearest.max() < 0.6

    def test_an_aligned_picture_is_its_own_chip(self) -> None:
        face = chip_of(pictures.pixels("astronaut"), pictures.landmarks("astronaut"))
        again = chip_of(face, (TEMPLATE[None] + 0.5) / CHIP)
        assert np.array_equal(again, face)

    @pytest.mark.parametrize("scale", [2, 4, 8])
    def test_a_larger_picture_gives_the_same_chip(self, scale: int) -> None:
        small, points = pictures.pixels("astronaut"), pictures.landmarks("astronaut")
        large = cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        assert cv2.PSNR(chip_of(large, points), chip_of(small, points)) > 34

    @pytest.mark.parametrize("turn", [1, 2, 3])
    def test_a_turned_picture_gives_the_same_chip(self, turn: int) -> None:
        picture, points = pictures.pixels("astronaut"), pictures.landmarks("astronaut")
        turned = points
        for _ in range(turn):
            turned = np.stack((turned[..., 1], 1 - turned[..., 0]), axis=-1)
        chip = chip_of(np.ascontiguousarray(np.rot90(picture, turn)), turned)
        assert cv2.PSNR(chip, chip_of(picture, points)) > 36

    def test_texture_finer_than_the_chip_is_averaged_not_aliased(self) -> None:
        checks = np.indices((1500, 1500)).sum(axis=0) % 2 * 255
        picture = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
        points = moved(TEMPLATE, similarity(7, 9.3, (60, 50)))
        chip = chip_of(picture, points[None] / 1500)
        inner = chip[20:130, 20:130].astype(float)
        assert abs(inner.mean() - 127.5) < 2
        assert inner.std() < 4

    def test_what_lies_outside_the_picture_is_black(self) -> None:
        picture = np.full((150, 150, 3), 200, np.uint8)
        chip = chip_of(picture, (TEMPLATE[None] - (75, 0)) / 150)
        assert (chip[10:-10, 80:] == 200).all()
        assert (chip[:, :70] == 0).all()

    @pytest.mark.parametrize("shift", [(-5, 0), (5, 0), (0, 9), (100, -100)])
    def test_a_face_wholly_outside_is_a_black_chip(self, shift: tuple[float, float]) -> None:
        picture = np.full((900, 900, 3), 200, np.uint8)
        for size in (0.05, 0.5):
            points = TEMPLATE[None] / CHIP * size + shift
            assert chip_of(picture, points).max() == 0

    @pytest.mark.parametrize("shape", [(200, 45_000), (45_000, 200)])
    @pytest.mark.parametrize("scale", [0.3, 1.2])
    def test_pictures_longer_than_opencv_warps(self, shape: tuple[int, int], scale: float) -> None:
        picture = np.zeros((*shape, 3), np.uint8)
        picture[-200:, -200:] = 200
        points = moved(TEMPLATE, similarity(0, scale, (shape[1] - 180, shape[0] - 180)))
        chip = chip_of(picture, (points[None] + 0.5) / (shape[1], shape[0]))
        assert (chip[5:140, 5:140] == 200).all()

    def test_points_that_coincide_give_a_chip(self) -> None:
        picture = np.full((900, 900, 3), 200, np.uint8)
        assert chip_of(picture, np.full((1, 5, 2), 0.5)).shape == (CHIP, CHIP, 3)

    def test_none_for_none(self) -> None:
        assert chips(np.zeros((50, 50, 3), np.uint8), np.empty((0, 5, 2))).shape == (0, 150, 150, 3)


def test_the_mirror_is_a_view() -> None:
    cut = chips(pictures.pixels("astronaut"), pictures.landmarks("astronaut"))
    seen = mirror(cut)
    assert np.shares_memory(seen, cut)
    assert np.array_equal(seen[0], np.fliplr(cut[0]))


def test_a_template_keeps_its_place_in_a_chip_of_another_size() -> None:
    native, template = ALIGNMENTS["arcface"]
    assert template_for("arcface", native) == pytest.approx(template)
    twice = template_for("arcface", 2 * native)
    assert (twice + 0.5) / 2 - 0.5 == pytest.approx(template)
