"""The same pictures and requests through both stacks: embedded twins and real engines agree."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import numpy as np
import pytest

from beholden.v1 import (
    collection_pb2,
    detection_pb2,
    detection_pb2_grpc,
    embedding_pb2,
    embedding_pb2_grpc,
    governance_pb2,
    governance_pb2_grpc,
    image_pb2,
    moderation_pb2,
    moderation_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
)
from tests.house import House
from tests.pictures import path
from tests.stack import Real

PICTURES = (
    "astronaut",
    "faces/test_images/obama.jpg",
    "faces/knn_examples/test/obama_and_biden.jpg",
    "groups/10.jpg",
)
PEOPLE = {
    "obama": "faces/test_images/obama.jpg",
    "biden": "faces/test_images/biden.jpg",
    "rose": "faces/knn_examples/train/rose_leslie/img1.jpg",
    "kit": "faces/knn_examples/train/kit_harington/john2.jpeg",
    "carell": "faces/carell.jpg",
}
PROBES = (
    "faces/knn_examples/test/obama1.jpg",
    "faces/knn_examples/train/biden/biden2.jpg",
    "faces/knn_examples/train/rose_leslie/img2.jpg",
    "astronaut",
)
CALLERS = (
    ("daily-herald", "editorial_research"),
    ("daily-herald", ""),
    ("metro-police", "criminal_investigation"),
    ("metro-police", ""),
    ("find-the-lost", "victim_identification"),
    ("find-the-lost", "criminal_investigation"),
    ("acme-platform", "content_safety"),
    ("beholden-ops", ""),
)


@dataclass(frozen=True)
class Side:
    """One of the two stacks."""

    channel: grpc.Channel
    running: House | Real

    def newsroom(self) -> list[tuple[str, str]]:
        return self.running.headers("daily-herald", "editorial_research")


@pytest.fixture(scope="module")
def sides(house: House, real: Real) -> Iterator[tuple[Side, Side]]:
    with house.channel() as here, real.channel() as there:
        yield Side(here, house), Side(there, real)


def image(name: str) -> image_pb2.Image:
    return image_pb2.Image(content=path(name).read_bytes())


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", PICTURES)
def test_the_same_faces_are_found(sides: tuple[Side, Side], name: str) -> None:
    ours, theirs = (
        detection_pb2_grpc.DetectionServiceStub(side.channel).DetectFaces(
            detection_pb2.DetectFacesRequest(image=image(name)), metadata=side.newsroom()
        )
        for side in sides
    )
    assert len(ours.faces) == len(theirs.faces) > 0
    for one, other in zip(ours.faces, theirs.faces, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)
        for edge in ("x_min", "y_min", "x_max", "y_max"):
            assert getattr(one.bounding_box, edge) == pytest.approx(
                getattr(other.bounding_box, edge), abs=1e-3
            )


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_templates_are_made(sides: tuple[Side, Side], name: str) -> None:
    ours, theirs = (
        [
            np.array(face.template)
            for face in embedding_pb2_grpc.EmbeddingServiceStub(side.channel)
            .EmbedFaces(
                embedding_pb2.EmbedFacesRequest(image=image(name)), metadata=side.newsroom()
            )
            .faces
        ]
        for side in sides
    )
    assert min(one @ other for one, other in zip(ours, theirs, strict=True)) >= 0.999


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_verdict_is_given(sides: tuple[Side, Side], name: str) -> None:
    ours, theirs = (
        moderation_pb2_grpc.ModerationServiceStub(side.channel).ModerateImage(
            moderation_pb2.ModerateImageRequest(image=image(name), min_confidence=0.01),
            metadata=side.newsroom(),
        )
        for side in sides
    )
    assert {label.name for label in ours.labels} == {label.name for label in theirs.labels}
    confidence = {label.name: label.confidence for label in theirs.labels}
    for label in ours.labels:
        assert label.confidence == pytest.approx(confidence[label.name], abs=1e-3)


def test_searches_rank_alike(sides: tuple[Side, Side]) -> None:
    rankings = []
    for side in sides:
        stub, headers = search_pb2_grpc.SearchServiceStub(side.channel), side.newsroom()
        stub.CreateCollection(
            search_pb2.CreateCollectionRequest(collection_id="congruence"), metadata=headers
        )
        for who, name in PEOPLE.items():
            stub.IndexFaces(
                search_pb2.IndexFacesRequest(
                    parent="collections/congruence",
                    image=image(name),
                    external_image_id=who,
                    provenance=collection_pb2.Provenance(source="test", legal_basis="test"),
                ),
                metadata=headers,
            )
        rankings.append(
            [
                [
                    (one.face.external_image_id, one.similarity)
                    for one in stub.SearchFacesByImage(
                        search_pb2.SearchFacesByImageRequest(
                            parent="collections/congruence", image=image(probe), min_similarity=0
                        ),
                        metadata=headers,
                    ).candidates
                ]
                for probe in PROBES
            ]
        )
    for ours, theirs in zip(*rankings, strict=True):
        assert [who for who, _ in ours] == [who for who, _ in theirs]
        for (_, one), (_, other) in zip(ours, theirs, strict=True):
            assert one == pytest.approx(other, abs=5e-3)


@pytest.mark.parametrize("action", ["face.search", "face.compare", "face.index", "face.detect"])
@pytest.mark.parametrize(("tenant", "purpose"), CALLERS)
def test_the_law_says_the_same(
    sides: tuple[Side, Side], tenant: str, purpose: str, action: str
) -> None:
    ours, theirs = (
        governance_pb2_grpc.GovernanceServiceStub(side.channel)
        .ExplainAccess(
            governance_pb2.ExplainAccessRequest(action=action),
            metadata=side.running.headers(tenant, purpose),
        )
        .decision
        for side in sides
    )
    ours.revision = theirs.revision = ""
    assert ours == theirs
