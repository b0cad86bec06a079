"""Does the service know people? On real pictures, over the wire, against dlib's own embeddings."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import dlib
import numpy as np
import pytest

from beholden.catalog.entries import load_catalog
from beholden.catalog.fetch import NoSourceError, fetch
from beholden.embedding.settings import EmbeddingSettings
from beholden.runtime.settings import Settings
from beholden.v1 import embedding_pb2, embedding_pb2_grpc, image_pb2
from beholden.vision import align, image, templates
from tests.house import ROOT, House
from tests.pictures import archives, missing, path

CLEAR = {
    "obama": [
        "knn_examples/train/obama/obama.jpg",
        "knn_examples/train/obama/obama2.jpg",
        "knn_examples/test/obama1.jpg",
        "test_images/obama3.jpg",
        "test_images/obama_partial_face.jpg",
        "test_images/obama_partial_face2.jpg",
    ],
    "biden": ["knn_examples/train/biden/biden.jpg", "knn_examples/train/biden/biden2.jpg"],
    "kit_harington": [
        "knn_examples/train/kit_harington/john1.jpeg",
        "knn_examples/train/kit_harington/john2.jpeg",
        "knn_examples/test/johnsnow_test1.jpg",
    ],
    "rose_leslie": [
        "knn_examples/train/rose_leslie/img1.jpg",
        "knn_examples/train/rose_leslie/img2.jpg",
    ],
    "alex_lacamoire": [
        "knn_examples/train/alex_lacamoire/img1.jpg",
        "knn_examples/test/alex_lacamoire1.jpg",
    ],
    "clapton": ["clapton-1.jpg", "clapton-2.jpg"],
    "lennon": ["lennon-1.jpg", "lennon-2.jpg"],
    "adams": ["adams.jpg"],
    "carell": ["carell.jpg"],
}
"""Pictures of one person each, by who it is."""

CATALOG = load_catalog(ROOT / "models" / "catalog.yaml")
THRESHOLD = EmbeddingSettings().min_similarity


@pytest.fixture(scope="module", name="stub")
def embedding(house: House) -> Iterator[embedding_pb2_grpc.EmbeddingServiceStub]:
    with house.channel() as channel:
        yield embedding_pb2_grpc.EmbeddingServiceStub(channel)


@pytest.fixture(scope="module", name="headers")
def newsroom(house: House) -> list[tuple[str, str]]:
    return house.headers("daily-herald", "editorial_research")


@pytest.fixture(scope="module")
def people(
    stub: embedding_pb2_grpc.EmbeddingServiceStub, headers: list[tuple[str, str]]
) -> dict[str, list[np.ndarray]]:
    """Every picture's template, by who it is."""

    def template(name: str) -> np.ndarray:
        request = embedding_pb2.EmbedFacesRequest(
            image=image_pb2.Image(content=path(f"faces/{name}").read_bytes())
        )
        answer = stub.EmbedFaces(request, metadata=headers)
        assert len(answer.faces) == 1, name
        return np.array(answer.faces[0].template, np.float32)

    return {who: [template(name) for name in names] for who, names in CLEAR.items()}


def alike(one: np.ndarray, other: np.ndarray) -> float:
    scale = next(
        entry.parameters for entry in CATALOG.models if "similarity_midpoint" in entry.parameters
    )
    return templates.similarity(
        float(one @ other), scale["similarity_midpoint"], scale["similarity_slope"]
    )


def test_every_clear_pair_is_told_right(people: dict[str, list[np.ndarray]]) -> None:
    known = [(who, template) for who, found in people.items() for template in found]
    wrong = [
        (who, other, score)
        for (who, one), (other, two) in itertools.combinations(known, 2)
        if ((score := alike(one, two)) >= THRESHOLD) != (who == other)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("source", "target", "same"),
    [
        ("clapton-1.jpg", "clapton-2.jpg", True),
        ("lennon-1.jpg", "clapton-2.jpg", False),
        ("test_images/obama3.jpg", "knn_examples/test/obama1.jpg", True),
        ("test_images/biden.jpg", "knn_examples/test/obama1.jpg", False),
    ],
)
def test_compare_faces_at_the_default_threshold(
    stub: embedding_pb2_grpc.EmbeddingServiceStub,
    headers: list[tuple[str, str]],
    source: str,
    target: str,
    same: bool,
) -> None:
    request = embedding_pb2.CompareFacesRequest(
        source=image_pb2.Image(content=path(f"faces/{source}").read_bytes()),
        target=image_pb2.Image(content=path(f"faces/{target}").read_bytes()),
    )
    answer = stub.CompareFaces(request, metadata=headers)
    assert (len(answer.matches), len(answer.unmatched_faces)) == ((1, 0) if same else (0, 1))


def test_finds_the_one_among_others(
    stub: embedding_pb2_grpc.EmbeddingServiceStub, headers: list[tuple[str, str]]
) -> None:
    request = embedding_pb2.CompareFacesRequest(
        source=image_pb2.Image(content=path("faces/test_images/biden.jpg").read_bytes()),
        target=image_pb2.Image(
            content=path("faces/knn_examples/test/obama_and_biden.jpg").read_bytes()
        ),
    )
    answer = stub.CompareFaces(request, metadata=headers)
    assert len(answer.matches) == 1
    box = answer.matches[0].face.bounding_box
    assert answer.matches[0].similarity >= THRESHOLD
    assert 0 <= box.x_min < box.x_max <= 1


@pytest.mark.thorough
def test_embeddings_are_dlibs(
    stub: embedding_pb2_grpc.EmbeddingServiceStub,
    headers: list[tuple[str, str]],
    tmp_path: Path,
) -> None:
    """The service's template of a face against dlib's own embeddings of the same chips."""
    entry = next(one for one in CATALOG.models if one.name == "dlib_resnet_v1")
    try:
        fetched = fetch(entry, tmp_path, Settings().model_mirror, lambda _: None, archives())
        (weights,) = fetched.paths.values()
    except NoSourceError as error:
        missing(f"dlib's own weights cannot be had: {error.attempts}")
    reference = dlib.face_recognition_model_v1(str(weights))
    for name in ("test_images/obama.jpg", "clapton-1.jpg", "carell.jpg"):
        content = path(f"faces/{name}").read_bytes()
        answer = stub.EmbedFaces(
            embedding_pb2.EmbedFacesRequest(image=image_pb2.Image(content=content)),
            metadata=headers,
        )
        found = answer.faces[0]
        picture = image.decode(content, max_side=EmbeddingSettings().side)
        points = [[(mark.point.x, mark.point.y) for mark in found.face.landmarks]]
        chips = align.chips(picture.pixels, np.array(points))
        plain, mirrored = (
            np.array([reference.compute_face_descriptor(np.ascontiguousarray(one[0]))])
            for one in (chips, align.mirror(chips))
        )
        theirs = templates.mirror_sum(plain, mirrored)[0]
        assert float(np.dot(theirs, np.array(found.template, np.float32))) >= 0.999, name
