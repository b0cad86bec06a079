"""The array maths around the models that it was written for, on real faces."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest

from beholden.vision.align import chips, mirror
from beholden.vision.faces import FoundFaces, detector_input, find_faces
from beholden.vision.image import decode
from beholden.vision.templates import mirror_sum
from tests import pictures

REPOSITORY = Path(os.environ.get("BEHOLDEN_MODEL_REPOSITORY") or pictures.ROOT / "var" / "models")
Detect = Callable[[np.ndarray], FoundFaces]
Embed = Callable[[np.ndarray, np.ndarray], np.ndarray]


def session(name: str) -> ort.InferenceSession:
    path = REPOSITORY / name / "1" / "model.onnx"
    if not path.is_file():
        pictures.missing(f"no {name} in {REPOSITORY}; run: make setup")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    return ort.InferenceSession(path, options)


@pytest.fixture(scope="module")
def detect() -> Detect:
    detector = session("centerface")
    names = [output.name for output in detector.get_outputs()]

    def run(pixels: np.ndarray) -> FoundFaces:
        seen = detector_input(pixels)
        maps = dict(zip(names, detector.run(names, {"image": seen.batch}), strict=True))
        return find_faces(maps, width=seen.width, height=seen.height, threshold=0.5)

    return run


@pytest.fixture(scope="module")
def embed() -> Embed:
    embedder = session("dlib_resnet_v1")

    def run(pixels: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        cut = chips(pixels, landmarks)
        both = np.concatenate((cut, mirror(cut)))
        return mirror_sum(*np.split(embedder.run(None, {"chips": both})[0], 2))

    return run


def test_the_astronaut_is_where_the_models_authors_find_her(detect: Detect) -> None:
    found = detect(pictures.pixels("astronaut"))
    assert len(found) == 1
    assert found.scores[0] == pytest.approx(0.929, abs=0.005)
    assert found.boxes[0] * 512 == pytest.approx((181.5, 58.2, 269.9, 177.8), abs=0.5)
    points = ((203, 102), (247, 105), (223, 125), (203, 142), (241, 144))
    assert found.landmarks[0] * 512 == pytest.approx(np.array(points), abs=1)


@pytest.mark.parametrize("name", list(pictures.LANDMARKS))
def test_each_portrait_has_one_face_with_its_landmarks(detect: Detect, name: str) -> None:
    found = detect(pictures.pixels(name))
    assert len(found) == 1
    assert found.landmarks == pytest.approx(pictures.landmarks(name), abs=0.003)


def test_crowds_are_found_and_their_faces_lie_in_the_picture(detect: Detect) -> None:
    found = detect(pictures.pixels("groups/8.jpg"))
    assert len(found) > 55
    assert ((found.boxes >= 0) & (found.boxes <= 1)).all()
    areas = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    assert (np.diff(areas) <= 1e-9).all()


def test_no_face_is_found_where_there_is_none(detect: Detect) -> None:
    assert len(detect(np.zeros((300, 300, 3), np.uint8))) == 0
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    assert len(detect(noise)) == 0
    assert len(detect(np.full((16, 16, 3), 128, np.uint8))) == 0


@pytest.mark.parametrize("name", ["groups/17.jpg", "faces/lennon-1.jpg"])
def test_a_jpeg_decoded_small_shows_the_same_faces(detect: Detect, name: str) -> None:
    content = pictures.path(name).read_bytes()
    small, full = (detect(decode(content, max_side=side).pixels) for side in (800, None))
    large = (full.boxes[:, 2] - full.boxes[:, 0]) > 0.03
    for box, points in zip(full.boxes[large], full.landmarks[large], strict=True):
        nearest = np.abs(small.boxes - box).sum(axis=1).argmin()
        moved = np.abs(small.landmarks[nearest] - points) / (box[2:] - box[:2])
        assert moved.max() < 0.15


@pytest.mark.parametrize(("share", "cosine"), [(0.5, 0.985), (0.25, 0.975)])
@pytest.mark.parametrize("name", list(pictures.LANDMARKS)[1:])
def test_a_smaller_picture_gives_nearly_the_same_template(
    detect: Detect, embed: Embed, name: str, share: float, cosine: float
) -> None:
    picture = pictures.pixels(name)
    small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    template = embed(picture, detect(picture).landmarks[:1])
    assert embed(small, detect(small).landmarks[:1])[0] @ template[0] > cosine


@pytest.mark.parametrize("name", ["astronaut", "faces/carell.jpg"])
def test_a_mirrored_picture_gives_nearly_the_same_template(
    detect: Detect, embed: Embed, name: str
) -> None:
    picture = pictures.pixels(name)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    template = embed(picture, detect(picture).landmarks[:1])
    assert embed(mirrored, detect(mirrored).landmarks[:1])[0] @ template[0] > 0.985
