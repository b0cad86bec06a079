"""A power cut while faces are indexed: what was answered is there, and the chain holds."""

import threading
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from beholden.v1 import (
    collection_pb2,
    governance_pb2,
    governance_pb2_grpc,
    image_pb2,
    search_pb2,
    search_pb2_grpc,
)
from tests.house import House, house
from tests.pictures import encode, path, pixels

TENANT, PURPOSE = "daily-herald", "editorial_research"
CALLERS = 4
ANSWERS = 12


def index(running: House, headers: list, enough: threading.Event, answered: dict) -> None:
    """Indexes the same picture again and again, and notes what was acknowledged."""
    request = search_pb2.IndexFacesRequest(
        parent="collections/cut",
        image=image_pb2.Image(content=encode(pixels("astronaut"), "JPEG")),
        provenance=collection_pb2.Provenance(source="NASA", legal_basis="public domain"),
    )
    with running.channel() as channel:
        stub = search_pb2_grpc.SearchServiceStub(channel)
        while True:
            try:
                answer, call = stub.IndexFaces.with_call(request, metadata=headers)
            except grpc.RpcError:
                return
            decision = dict(call.trailing_metadata())["beholden-decision-id"]
            answered[decision] = [item.face.name for item in answer.faces]
            if len(answered) >= ANSWERS:
                enough.set()


def pages(ask, request, items: str) -> list:
    """Every item of a listing."""
    found = []
    while True:
        answer = ask(request)
        found += getattr(answer, items)
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    path("astronaut")
    answered: dict[str, list[str]] = {}
    enough = threading.Event()
    with house(tmp_path) as running:
        headers = running.headers(TENANT, PURPOSE)
        with running.channel() as channel:
            search_pb2_grpc.SearchServiceStub(channel).CreateCollection(
                search_pb2.CreateCollectionRequest(collection_id="cut"), metadata=headers
            )
        callers = [
            threading.Thread(target=index, args=(running, headers, enough, answered))
            for _ in range(CALLERS)
        ]
        for caller in callers:
            caller.start()
        assert enough.wait(120)
        running.kill()
        for caller in callers:
            caller.join(60)

    with house(tmp_path) as running, running.channel() as channel:
        headers = running.headers(TENANT, PURPOSE, roles=["auditor"])
        search = search_pb2_grpc.SearchServiceStub(channel)
        governance = governance_pb2_grpc.GovernanceServiceStub(channel)
        acknowledged = {name for names in answered.values() for name in names}
        assert len(acknowledged) == len(answered)

        listed = pages(
            lambda request: search.ListFaces(request, metadata=headers),
            search_pb2.ListFacesRequest(parent="collections/cut", page_size=7),
            "faces",
        )
        assert acknowledged <= {face.name for face in listed}
        found = search.SearchFacesByImage(
            search_pb2.SearchFacesByImageRequest(
                parent="collections/cut",
                image=image_pb2.Image(content=encode(pixels("astronaut"), "JPEG")),
                max_results=1000,
            ),
            metadata=headers,
        )
        assert acknowledged <= {candidate.face.name for candidate in found.candidates}

        records = pages(
            lambda request: governance.ListDecisions(request, metadata=headers),
            governance_pb2.ListDecisionsRequest(page_size=50),
            "records",
        )
        outcomes = {record.decision_id for record in records if record.kind == "outcome"}
        decisions = {record.decision_id for record in records if record.kind == "decision"}
        assert answered.keys() <= outcomes
        assert answered.keys() <= decisions
        verdict = governance.VerifyLedger(governance_pb2.VerifyLedgerRequest(), metadata=headers)
        assert verdict.holds, MessageToDict(verdict)
