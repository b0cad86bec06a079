"""Published ONNX models behind a uint8 picture answer what they answered before."""

import os
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from beholden.catalog.convert.converters import convert
from beholden.catalog.entries import load_catalog
from beholden.catalog.fetch import NoSourceError, fetch
from beholden.vision import objects
from tests.pictures import archives, missing

ROOT = Path(__file__).resolve().parents[3]
CATALOG = load_catalog(ROOT / "models" / "catalog.yaml")
MIRROR = Path(os.environ.get("BEHOLDEN_MODEL_MIRROR") or ROOT.parent / "shared" / "models")
SIDES = {
    "yolox_nano": (416, 416),
    "squeezenet": (224, 224),
    "pp_ocr_v6_detector": (192, 320),
    "mobilefacenet": (112, 112),
    "nudenet_320n": (320, 320),
}


def sessions(
    name: str, folder: Path
) -> tuple[ort.InferenceSession, ort.InferenceSession, np.ndarray]:
    """The published graph, ours, and the published one's characters if it has any."""
    entry = CATALOG.model(name)
    try:
        paths = fetch(entry, folder, MIRROR, lambda _: None, archives()).paths
    except NoSourceError as error:
        missing(f"{name}: {error.attempts}")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    published = ort.InferenceSession(next(iter(paths.values())), options)
    characters = published.get_modelmeta().custom_metadata_map.get("character", "").split("\n")
    points = np.array([0, *(ord(one) for one in characters if one), ord(" ")])
    return published, ort.InferenceSession(convert(entry, paths)), points


def pictures(height: int, width: int) -> np.ndarray:
    """Two real pictures of that size: (2, height, width, 3)."""
    shipped = (skimage.data.astronaut(), skimage.data.coffee())
    return np.stack([np.asarray(Image.fromarray(one).resize((width, height))) for one in shipped])


def asked(published: ort.InferenceSession, picture: np.ndarray, name: str) -> list[np.ndarray]:
    """What upstream says of one picture in the form that it asks for: planes, normalised."""
    wanted = CATALOG.model(name).normalise
    ordered = picture[..., ::-1] if wanted.channels == "BGR" else picture
    planes = (ordered - np.array(wanted.mean)) / np.array(wanted.deviation)
    (given,) = published.get_inputs()
    dtype = np.float16 if given.type == "tensor(float16)" else np.float32
    return published.run(None, {given.name: planes.transpose(2, 0, 1)[None].astype(dtype)})


@pytest.mark.parametrize("name", SIDES)
@pytest.mark.thorough
def test_the_same_answers_one_by_one_and_in_a_batch(tmp_path: Path, name: str) -> None:
    published, ours, _ = sessions(name, tmp_path)
    batch = pictures(*SIDES[name])
    given = ours.get_inputs()[0].name
    answers = ours.run(None, {given: batch})
    for index, picture in enumerate(batch):
        expected = asked(published, picture, name)
        alone = ours.run(None, {given: picture[None]})
        for wanted, single, together in zip(expected, alone, answers, strict=True):
            np.testing.assert_allclose(single, wanted, rtol=1e-6, atol=2e-3)
            np.testing.assert_allclose(together[index], wanted[0], rtol=1e-6, atol=2e-3)


def upstreams(
    published: ort.InferenceSession, picture: np.ndarray
) -> list[tuple[str, list[float]]]:
    """NudeNet's classes and boxes (corners in pixels), surest first, by the steps of its own code:
    black below and to the right, boxes of one kind or another that overlap by 0.45 are one.
    """
    side = max(picture.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: picture.shape[0], : picture.shape[1]] = picture
    blob = cv2.dnn.blobFromImage(square, 1 / 255, (320, 320))
    (answer,) = published.run(None, {"images": blob})
    rows = answer[0].T
    best = rows[:, 4:].max(axis=1)
    rows, best = rows[best >= 0.2], best[best >= 0.2]
    corners = np.hstack((rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4])) * side / 320
    kept = cv2.dnn.NMSBoxes(corners.tolist(), best.tolist(), 0.25, 0.45)
    labels = CATALOG.model("nudenet_320n").labels
    return [
        (
            labels[rows[one, 4:].argmax()],
            [*corners[one, :2], *(corners[one, :2] + corners[one, 2:])],
        )
        for one in kept
    ]


@pytest.mark.parametrize("part", [slice(None), slice(300)])
def test_what_nudenet_finds_is_what_its_own_steps_find(tmp_path: Path, part: slice) -> None:
    published, ours, _ = sessions("nudenet_320n", tmp_path)
    picture, model = skimage.data.astronaut()[part], CATALOG.model("nudenet_320n").spec("")
    view = objects.fit(picture, model)
    answer = {"candidates": ours.run(None, {"image": view.batch})[0]}
    found = objects.read(answer, model, view, 0.25)
    expected = upstreams(published, picture)
    assert expected[0][0] == "FACE_FEMALE"
    assert [model.labels[one] for one in found.classes] == [name for name, _ in expected]
    size = np.array((*picture.shape[1::-1],) * 2)
    for box, (_, wanted) in zip(found.boxes * size, expected, strict=True):
        assert box == pytest.approx(np.clip(wanted, 0, size), abs=1)


def test_the_recogniser_answers_the_likeliest_character_of_each_step(tmp_path: Path) -> None:
    name = "pp_ocr_v6_recogniser"
    published, ours, points = sessions(name, tmp_path)
    paper = Image.new("RGB", (320, 48), "white")
    ImageDraw.Draw(paper).text((8, 4), "Beholden 2026", "black", ImageFont.load_default(36))
    line = np.asarray(paper)
    characters, confidences = ours.run(None, {"image": line[None]})
    (classes,) = asked(published, line, name)
    assert characters[0].tolist() == points[classes[0].argmax(axis=1)].tolist()
    assert confidences[0] == pytest.approx(classes[0].max(axis=1), abs=1e-4)
    read = [point for step, point in enumerate(characters[0]) if point != characters[0][step - 1]]
    assert "".join(chr(point) for point in read if point) == "Beholden 2026"
