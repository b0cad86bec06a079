"""What a running house tells of its calls: one trace through every engine, figures, and no person."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import grpc
import pytest
import yaml

from beholden.v1 import collection_pb2, image_pb2, search_pb2, search_pb2_grpc
from tests.collector import Collected, collector
from tests.house import ROOT, house
from tests.pictures import path

MONITORING = ROOT / "k8s" / "components" / "monitoring"
TRACE = "0af7651916cd43dd8448eb211c80319c"
ENGINES = {"policy decide", "ledger append", "inference infer", "store search"}


@dataclass(frozen=True)
class Told:
    """What was sent, what Prometheus was answered, and what must be in neither."""

    collected: Collected = field(repr=False)
    exposed: str = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """After a face was enrolled and searched for, and police were refused; the house has ended."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    picture = path("faces/test_images/obama.jpg").read_bytes()
    with pytest.MonkeyPatch.context() as patch, collector() as collected:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.address)
        patch.setenv("OTEL_METRICS_EXPORTER", "otlp,prometheus")
        patch.setenv("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1")
        patch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", str(port))
        with house(tmp_path_factory.mktemp("house")) as home, home.channel() as channel:
            search = search_pb2_grpc.SearchServiceStub(channel)
            caller = home.headers("daily-herald", "editorial_research")
            traced = [*caller, ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")]
            made = search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex)
            parent = search.CreateCollection(made, metadata=caller).collection.name
            image = image_pb2.Image(content=picture)
            past = collection_pb2.Provenance(source="a press agency", legal_basis="press law")
            search.IndexFaces(
                search_pb2.IndexFacesRequest(
                    parent=parent, image=image, external_image_id="a-subject", provenance=past
                ),
                metadata=caller,
            )
            asked = search_pb2.SearchFacesByImageRequest(parent=parent, image=image)
            search.SearchFacesByImage(asked, metadata=traced)
            search.GetCollection(search_pb2.GetCollectionRequest(name=parent), metadata=caller)
            police = home.headers("metro-police", "criminal_investigation")
            with pytest.raises(grpc.RpcError, match="PERMISSION_DENIED"):
                search.SearchFacesByImage(asked, metadata=police)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                exposed = answer.read().decode()
        token = caller[0][1].removeprefix("Bearer ")
        secrets = (picture[1000:1032], token.encode(), b"a-subject", b"a press agency")
        yield Told(collected, exposed, secrets)


def test_one_trace_goes_through_guard_and_engines(told: Told) -> None:
    spans = [one for one in told.collected.spans() if one.trace_id.hex() == TRACE]
    by_id = {one.span_id: one for one in spans}
    [call] = [one for one in spans if one.parent_span_id.hex() == "b7ad6b7169203331"]
    assert call.name == "beholden.v1.SearchService/SearchFacesByImage"
    assert {one.name for one in spans} - {call.name} >= ENGINES
    assert all(one is call or one.parent_span_id in by_id for one in spans)
    models = {
        one.value.string_value
        for span in spans
        for one in span.attributes
        if one.key == "beholden.model"
    }
    assert models == {"centerface@1", "dlib_resnet_v1@1"}


def test_nothing_of_a_person_or_a_secret_is_told(told: Told) -> None:
    sent = told.collected.traces + told.collected.metrics + told.collected.logs
    assert told.collected.lines(), "logs are sent too"
    everything = b"".join(one.SerializeToString() for one in sent) + told.exposed.encode()
    for secret in told.secrets:
        assert secret not in everything


def test_refusals_and_obligations_are_counted(told: Told) -> None:
    refused = [
        line
        for line in told.exposed.splitlines()
        if line.startswith("beholden_decisions_total") and 'allowed="false"' in line.lower()
    ]
    [line] = refused
    assert 'law="amazon-2021/police-face-comparison"' in line
    assert line.endswith(" 1.0")
    assert 'kind="min_similarity"' in told.exposed


def metrics_named(expression: str) -> set[str]:
    """The metrics of a PromQL expression, whose labels stand in braces or after `by`."""
    without_labels = re.sub(r"\{[^}]*\}|(by|ignoring)\s*\([^)]*\)", " ", expression)
    return set(re.findall(r"\b(?:beholden|rpc)_[a-z_]+", without_labels))


def exposed_names(text: str) -> set[str]:
    """The series that are there."""
    return {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[:1] not in "#"}


@pytest.mark.parametrize("file", ["dashboard.json", "alerts.yaml"])
def test_dashboards_and_alerts_ask_for_metrics_that_come_out(told: Told, file: str) -> None:
    text = (MONITORING / file).read_text()
    document = json.loads(text) if file.endswith("json") else yaml.safe_load(text)
    asked = {name for said in expressions(document) for name in metrics_named(said)}
    assert len(asked) >= 4
    assert asked <= exposed_names(told.exposed)


def expressions(document: object) -> Iterator[str]:
    """Every PromQL expression in a dashboard or in rules."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "expr":
                yield str(value)
            else:
                yield from expressions(value)
    elif isinstance(document, list):
        for one in document:
            yield from expressions(one)
