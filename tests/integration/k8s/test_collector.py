"""A real Collector under the manifests' own configuration: valid, and what a house sends comes out again."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from beholden.engines.unit import Unit, environment, free_port
from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2
from tests.collector import Collected, collector
from tests.engines import running
from tests.house import house
from tests.integration.house.test_telemetry import (
    MONITORING,
    exposed_names,
    expressions,
    metrics_named,
)
from tests.pictures import path

pytestmark = pytest.mark.thorough

# Told only where a gallery is counted or a duty asked, which the house's own test sees to.
ELSEWHERE = {"beholden_gallery_faces", "beholden_obligations_total"}


@pytest.fixture
def otelcol(manifests: Any) -> str:
    """The program; it takes minutes to build, so where there is none the test is skipped."""
    found = manifests.which("otelcol") or manifests.which("otelcol-contrib")
    if found is None:
        pytest.skip("no otelcol is here: `make collector` builds it")
    return str(found)


@pytest.mark.parametrize("overlay", ["airgapped", "dev", "prod"])
def test_its_configuration_is_valid(
    rendered: Any, otelcol: str, overlay: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(configured(rendered(overlay)))
    assert validated(otelcol, config) == ""
    config.write_text(config.read_text().replace("check_interval", "check_intervall"))
    assert "check_intervall" in validated(otelcol, config)


def validated(otelcol: str, config: Path) -> str:
    run = subprocess.run(
        [otelcol, "validate", f"--config={config}"], capture_output=True, text=True, check=False
    )
    return run.stderr if run.returncode else ""


def configured(documents: list[Any]) -> str:
    return next(
        str(one["data"]["config.yaml"])
        for one in documents
        if one["kind"] == "ConfigMap" and one["metadata"]["name"].startswith("otel-collector")
    )


@contextmanager
def collecting(
    otelcol: str, config: str, kept: Collected, folder: Path
) -> Iterator[dict[str, str]]:
    """Runs it on loopback; besides what its configuration says, it hands everything to `kept`."""
    ports = {name: str(free_port()) for name in ("4317", "8889", "13133")}
    for port, own in ports.items():
        config = config.replace(f"0.0.0.0:{port}", f"127.0.0.1:{own}")
    witness = {
        "exporters": {
            "otlp_grpc/witness": {
                "endpoint": kept.address.removeprefix("http://"),
                "tls": {"insecure": True},
            }
        },
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                "traces": {"exporters": ["debug", "otlp_grpc/witness"]},
                "metrics": {"exporters": ["prometheus", "otlp_grpc/witness"]},
                "logs": {"exporters": ["debug", "otlp_grpc/witness"]},
            },
        },
    }
    (folder / "config.yaml").write_text(config)
    (folder / "witness.yaml").write_text(yaml.safe_dump(witness))
    unit = Unit(
        name="otelcol",
        argv=[otelcol, f"--config={folder}/config.yaml", f"--config={folder}/witness.yaml"],
        address=f"http://127.0.0.1:{ports['4317']}",
        health=f"http://127.0.0.1:{ports['13133']}/",
        env=environment(),
        folder=folder,
    )
    with running(unit, folder / "otelcol.log"):
        yield ports


def test_traces_metrics_and_logs_of_a_house_come_out_of_it(
    rendered: Any, otelcol: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = path("faces/test_images/obama.jpg").read_bytes()
    with (
        collector() as kept,
        collecting(otelcol, configured(rendered("prod")), kept, tmp_path) as ports,
    ):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{ports['4317']}")
        (tmp_path / "house").mkdir()
        with house(tmp_path / "house") as home, home.channel() as channel:
            detection = detection_pb2_grpc.DetectionServiceStub(channel)
            asked = detection_pb2.DetectFacesRequest(image=image_pb2.Image(content=picture))
            detection.DetectFaces(asked, metadata=home.headers("daily-herald"))
        end = time.monotonic() + 60
        while not (kept.traces and kept.metrics and kept.logs):
            assert time.monotonic() < end, (tmp_path / "otelcol.log").read_text()[-2000:]
            time.sleep(0.1)
        with urllib.request.urlopen(
            f"http://127.0.0.1:{ports['8889']}/metrics", timeout=10
        ) as answer:
            exposed = answer.read().decode()
    names = {span.name for span in kept.spans()}
    assert {"beholden.v1.DetectionService/DetectFaces", "inference infer"} <= names
    documents = (
        json.loads((MONITORING / "dashboard.json").read_text()),
        yaml.safe_load((MONITORING / "alerts.yaml").read_text()),
    )
    wanted = {
        name for one in documents for said in expressions(one) for name in metrics_named(said)
    }
    assert wanted - ELSEWHERE <= exposed_names(exposed)
    assert picture[1000:1032] not in b"".join(
        one.SerializeToString() for one in kept.traces + kept.metrics + kept.logs
    )
