"""Houses whose law wants people to look before anybody sees candidates."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from beholden.v1 import (
    collection_pb2,
    embedding_pb2,
    embedding_pb2_grpc,
    governance_pb2_grpc,
    image_pb2,
    review_pb2,
    search_pb2,
    search_pb2_grpc,
)
from tests.house import ROOT, House, house
from tests.pictures import encode, path, pixels

NEWSROOM = "daily-herald"
FINDERS = "find-the-lost"
PURPOSES = {NEWSROOM: "editorial_research", FINDERS: "missing_persons"}
REQUIRED = {
    "news": {"kinds": ["newsroom"], "purposes": ["editorial_research"], "reviewers": 1},
    "victims": {"kinds": [], "purposes": ["missing_persons"], "reviewers": 2},
}
SERVED = ("embedding", "search", "governance")


@dataclass(frozen=True)
class Person:
    """Somebody with a token, at a house."""

    served: House
    channel: grpc.Channel
    tenant: str
    name: str
    roles: Sequence[str] = ()

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return self.served.headers(
            self.tenant, PURPOSES.get(self.tenant, ""), principal=self.name, roles=self.roles
        )

    @property
    def governance(self) -> governance_pb2_grpc.GovernanceServiceStub:
        return governance_pb2_grpc.GovernanceServiceStub(self.channel)

    def enrol(self) -> str:
        """A collection in which the astronaut is enrolled twice, in different quality, and Obama once."""
        stub = search_pb2_grpc.SearchServiceStub(self.channel)
        made = stub.CreateCollection(
            search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex),
            metadata=self.metadata,
        )
        obama = path("faces/test_images/obama.jpg").read_bytes()
        pictures = {"first": astronaut(95), "second": astronaut(60), "obama": obama}
        for name, content in pictures.items():
            stub.IndexFaces(
                search_pb2.IndexFacesRequest(
                    parent=made.collection.name,
                    image=image_pb2.Image(content=content),
                    external_image_id=name,
                    provenance=collection_pb2.Provenance(source="NASA", legal_basis="press law"),
                ),
                metadata=self.metadata,
            )
        return str(made.collection.name)

    def search(self, parent: str, content: bytes | None = None) -> Any:
        return search_pb2_grpc.SearchServiceStub(self.channel).SearchFacesByImage(
            search_pb2.SearchFacesByImageRequest(
                parent=parent,
                image=image_pb2.Image(content=content or astronaut(90)),
                min_similarity=0.9,
            ),
            metadata=self.metadata,
        )

    def compare(self) -> Any:
        image = image_pb2.Image(content=astronaut(90))
        return embedding_pb2_grpc.EmbeddingServiceStub(self.channel).CompareFaces(
            embedding_pb2.CompareFacesRequest(source=image, target=image), metadata=self.metadata
        )

    def get(self, name: str) -> review_pb2.GetReviewResponse:
        return self.governance.GetReview(
            review_pb2.GetReviewRequest(name=name), metadata=self.metadata
        )

    def list(self, **options: bool) -> list[str]:
        answer = self.governance.ListReviews(
            review_pb2.ListReviewsRequest(**options), metadata=self.metadata
        )
        return [review.name for review in answer.reviews]

    def resolve(
        self, name: str, *candidates: int, reject: bool = False, reason: str = "seen"
    ) -> Any:
        verdict = review_pb2.REVIEW_VERDICT_REJECT if reject else review_pb2.REVIEW_VERDICT_CONFIRM
        request = review_pb2.ResolveReviewRequest(
            name=name, verdict=verdict, candidates=candidates, reason=reason
        )
        return self.governance.ResolveReview(request, metadata=self.metadata).review


Meet = Callable[..., Person]


def astronaut(quality: int) -> bytes:
    return encode(pixels("astronaut"), "JPEG", quality=quality)


def law(folder: Path, adopted: Sequence[str] = ()) -> Path:
    """Our policies with the reviews required, and the regimes `adopted`."""
    policies = folder / "policies"
    shutil.rmtree(policies, ignore_errors=True)
    shutil.copytree(ROOT / "policies", policies)
    review = policies / "law" / "review" / "data.json"
    review.write_text(json.dumps({**json.loads(review.read_text()), "required": REQUIRED}))
    (policies / "law" / "regimes" / "data.json").write_text(json.dumps({"adopted": list(adopted)}))
    return policies


@contextmanager
def reviewing(
    folder: Path, adopted: Sequence[str] = (), **settings: str
) -> Iterator[tuple[House, Meet]]:
    """A house under that law, and people of it: `meet("alice", tenant=..., roles=...)`."""
    url = f"file:{law(folder, adopted)}"
    with house(folder, SERVED, POLICY_URL=url, **settings) as served, served.channel() as channel:

        def meet(name: str, tenant: str = NEWSROOM, roles: Sequence[str] = ()) -> Person:
            return Person(served, channel, tenant, name, roles)

        yield served, meet
