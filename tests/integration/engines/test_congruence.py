"""The same real pictures through both inference engines: every model of the catalogue answers alike."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import cv2
import numpy as np
import pytest

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, MODERATOR, ModelSpec
from beholden.core.ports import InferenceEngine
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings
from beholden.vision.align import chips
from beholden.vision.faces import detector_input
from tests import pictures
from tests.engines import Running, needs, running
from tests.house import MODELS

CATALOG = load_catalog(pictures.ROOT / "models" / "catalog.yaml")
DEFAULT_ROLES = (FACE_DETECTOR, FACE_EMBEDDER, MODERATOR)
PICTURES = ("astronaut", "faces/test_images/obama.jpg", "faces/test_images/biden.jpg")


@pytest.fixture(scope="module")
def models() -> list[ModelSpec]:
    found = {role: available(CATALOG, MODELS, role) for role in CATALOG.roles}
    for role in DEFAULT_ROLES:
        if found[role] is None:
            pictures.missing(f"no {role} in {MODELS}; run: make setup")
    return [model for model in found.values() if model is not None]


@pytest.fixture(scope="module")
def server(models: list[ModelSpec], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("triton")
    unit = needs("triton").unit(models, MODELS, folder / "triton", 0)
    with running(unit, folder / "triton.log") as made:
        yield made


@asynccontextmanager
async def opened(
    url: str, models: list[ModelSpec], **settings: int
) -> AsyncIterator[InferenceEngine]:
    engine = await open_inference(url, MODELS, models, InferenceSettings(**settings))
    yield engine
    await engine.close()


def seen_by(model: ModelSpec, name: str) -> np.ndarray:
    """The picture as the model wants it."""
    pixels = pictures.pixels(name)
    if model.role == FACE_DETECTOR:
        return detector_input(pixels, 640).batch
    if model.role == FACE_EMBEDDER:
        cut = chips(pixels, pictures.landmarks(name))
        return np.concatenate((cut, cut[:, :, ::-1]))
    shape = [size if size > 0 else 320 for size in model.inputs[0].shape[1:]]
    return cv2.resize(pixels, (shape[1], shape[0]))[None, ..., : shape[2]]


async def test_both_engines_answer_alike(models: list[ModelSpec], server: Running) -> None:
    async with (
        opened("local:", models) as local,
        opened(server.unit.address, models) as plain,
        opened(server.unit.address, models, shared_memory=64) as shared,
    ):
        for model in models:
            for name in PICTURES:
                inputs = {model.inputs[0].name: seen_by(model, name)}
                wanted = await local.infer(model, inputs)
                # Through shared memory go only shapes that were answered before.
                for engine in (plain, shared, shared):
                    given = await engine.infer(model, inputs)
                    assert given.keys() == wanted.keys()
                    for output, tensor in wanted.items():
                        assert given[output].dtype == tensor.dtype
                        np.testing.assert_allclose(
                            given[output],
                            tensor,
                            rtol=1e-3,
                            atol=1e-4,
                            err_msg=f"{model.id} {name}",
                        )
