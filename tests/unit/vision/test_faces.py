from dataclasses import dataclass

import numpy as np
import pytest

from beholden.vision.faces import MAX_CANDIDATES, FoundFaces, detector_input, find_faces

POINTS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))


@dataclass(frozen=True)
class Truth:
    """A face by its centre, width and height in pixels of the detector's input."""

    x: float
    y: float
    width: float
    height: float
    score: float = 0.9

    @property
    def box(self) -> tuple[float, ...]:
        left, top = self.x - self.width / 2, self.y - self.height / 2
        return left, top, left + self.width, top + self.height

    @property
    def landmarks(self) -> list[tuple[float, float]]:
        left, top, *_ = self.box
        return [(left + x * self.width, top + y * self.height) for x, y in POINTS]


def maps(
    *truths: Truth, width: int = 320, height: int = 256, batch: int = 1, index: int = 0
) -> dict[str, np.ndarray]:
    """The maps that CenterFace would answer: each face in the cell where its centre lies."""
    shape = height // 4, width // 4
    out = {
        name: np.zeros((batch, channels, *shape), np.float32)
        for name, channels in (("heatmap", 1), ("size", 2), ("offset", 2), ("landmarks", 10))
    }
    for truth in truths:
        row, column = int(truth.y // 4), int(truth.x // 4)
        out["heatmap"][index, 0, row, column] = truth.score
        out["size"][index, :, row, column] = truth.height, truth.width
        out["offset"][index, :, row, column] = truth.y / 4 - row - 0.5, truth.x / 4 - column - 0.5
        out["landmarks"][index, :, row, column] = np.array(POINTS)[:, ::-1].ravel()
    return out


def find(
    found: dict[str, np.ndarray],
    *,
    width: int = 320,
    height: int = 256,
    threshold: float = 0.5,
    **more: float,
) -> FoundFaces:
    return find_faces(found, width=width, height=height, threshold=threshold, **more)  # type: ignore[arg-type]


def test_reads_a_face_to_the_pixel() -> None:
    truth = Truth(101.5, 83.25, 40, 52, score=0.75)
    found = find(maps(truth))
    assert len(found) == 1
    assert found.boxes[0] * (320, 256, 320, 256) == pytest.approx(truth.box, abs=1e-3)
    assert found.landmarks[0] * (320, 256) == pytest.approx(np.array(truth.landmarks), abs=1e-3)
    assert found.scores[0] == np.float32(0.75)
    assert {found.boxes.dtype, found.scores.dtype, found.landmarks.dtype} == {np.dtype(np.float32)}


def test_nothing_found_is_empty_arrays() -> None:
    found = find(maps())
    assert (len(found), found.boxes.shape, found.landmarks.shape) == (0, (0, 4), (0, 5, 2))


def test_largest_first() -> None:
    sizes = [20, 60, 40]
    found = find(maps(*(Truth(50 + 90 * k, 100, size, size) for k, size in enumerate(sizes))))
    assert (found.boxes[:, 2] - found.boxes[:, 0]) * 320 == pytest.approx([60, 40, 20], abs=1e-3)


@pytest.mark.parametrize(
    ("threshold", "count"), [(0.0, 3), (0.4, 3), (0.6, 2), (0.61, 1), (1.0, 0)]
)
def test_faces_under_the_threshold_are_left_out(threshold: float, count: int) -> None:
    found = maps(
        *(Truth(50 + 90 * k, 100, 30, 30, score) for k, score in enumerate((0.4, 0.6, 0.8)))
    )
    # At a threshold of nought every cell is a peak; those without a face have no size.
    assert len(find(found, threshold=np.float32(threshold))) == count


@pytest.mark.parametrize(("shift", "kept"), [(4, 1), (20, 1), (24, 2), (40, 2)])
def test_of_overlapping_faces_the_likelier_stays(shift: float, kept: int) -> None:
    # Two squares of 40, one shifted by s, overlap by (40 - s) / (40 + s): 0.33 at 20, 0.25 at 24.
    found = find(maps(Truth(100, 100, 40, 40, 0.7), Truth(100 + shift, 100, 40, 40, 0.9)))
    assert len(found) == kept
    assert found.scores.max() == np.float32(0.9)


def test_a_broad_peak_is_one_face() -> None:
    found = maps(Truth(102, 102, 40, 40))
    for key in ("size", "landmarks"):
        found[key][0, :, 23:28, 23:28] = found[key][0, :, 25:26, 25:26]
    found["heatmap"][0, 0, 23:28, 23:28] = 0.6
    found["heatmap"][0, 0, 25, 25] = 0.9
    assert find(found).scores.tolist() == [np.float32(0.9)]


def test_boxes_end_with_the_picture_and_landmarks_do_not() -> None:
    truth = Truth(6, 250, 40, 40)
    found = find(maps(truth), width=300, height=252)
    assert found.boxes[0] * (300, 252, 300, 252) == pytest.approx((0, 230, 26, 252), abs=1e-3)
    assert found.landmarks[0] * (300, 252) == pytest.approx(np.array(truth.landmarks), abs=1e-3)
    assert found.landmarks.min() < 0
    assert found.landmarks.max() > 1


def test_a_face_in_the_padding_is_none() -> None:
    assert len(find(maps(Truth(310, 100, 16, 16)), width=300)) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -5.0, 0.0])
@pytest.mark.parametrize("name", ["heatmap", "size", "offset", "landmarks"])
def test_what_is_not_finite_is_no_face(name: str, bad: float) -> None:
    found = maps(Truth(100, 100, 40, 40), Truth(200, 100, 40, 40))
    found[name][:, :, 25, 25] = bad
    faces = find(found)
    assert ((faces.scores > 0) & (faces.scores <= 1)).all()
    assert np.isfinite(faces.boxes).all()
    assert np.isfinite(faces.landmarks).all()
    assert ((faces.boxes >= 0) & (faces.boxes <= 1)).all()
    assert np.abs(faces.boxes[:, 0] * 320 - 180).min() < 1e-3


def test_reads_the_picture_of_the_batch_that_is_asked_for() -> None:
    found = maps(Truth(100, 100, 40, 40), batch=3, index=2)
    assert [len(find(found, index=index)) for index in range(3)] == [0, 0, 1]


def test_thousands_of_faces_are_all_found() -> None:
    truths = [Truth(10 + 20 * (k % 60), 10 + 20 * (k // 60), 16, 16) for k in range(3000)]
    found = find(maps(*truths, width=1280, height=1280), width=1280, height=1280)
    assert len(found) == 3000


def test_more_peaks_than_any_picture_has_are_cut_at_the_likeliest() -> None:
    found = maps(width=1280, height=1280)
    found["heatmap"][:] = np.random.default_rng(3).uniform(0.5, 0.6, found["heatmap"].shape)
    found["heatmap"][0, 0, 100, 100] = 0.99
    found["size"][:] = 2.0
    faces = find(found, width=1280, height=1280)
    assert 1000 < len(faces) <= MAX_CANDIDATES
    assert faces.scores.max() == np.float32(0.99)


@pytest.mark.parametrize(
    ("shape", "side", "batch", "content"),
    [
        ((512, 512), 960, (512, 512), (512, 512)),
        ((1080, 1920), 960, (544, 960), (960, 540)),
        ((1920, 1080), 640, (640, 384), (360, 640)),
        ((33, 20), 960, (64, 32), (20, 33)),
        ((1, 5000), 960, (32, 960), (960, 1)),
        ((200, 45_000), 960, (32, 960), (960, 4)),
    ],
)
def test_the_detectors_input_is_reduced_and_padded(
    shape: tuple[int, int], side: int, batch: tuple[int, int], content: tuple[int, int]
) -> None:
    pixels = np.full((*shape, 3), 200, np.uint8)
    seen = detector_input(pixels, side)
    assert seen.batch.shape == (1, *batch, 3)
    assert seen.batch.dtype == np.uint8
    assert (seen.width, seen.height) == content
    assert (seen.batch[0, : seen.height, : seen.width] == 200).all()
    assert seen.batch.sum(dtype=int) == 200 * 3 * seen.width * seen.height
