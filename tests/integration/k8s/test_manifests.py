"""The manifests fit the code: settings and services that there are, and nobody let in who need not be."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from beholden.runtime.health import LIVENESS
from beholden.runtime.needs import SERVICES
from beholden.runtime.settings import Settings

OVERLAYS = ("airgapped", "dev", "prod")


def named(documents: list[Mapping[str, Any]], kind: str, name: str = "") -> list[Any]:
    return [
        one for one in documents if one["kind"] == kind and one["metadata"]["name"].startswith(name)
    ]


def settings(documents: list[Mapping[str, Any]], service: str = "") -> dict[str, str]:
    """Every variable of ours that one service, or any, is given."""
    given = dict(named(documents, "ConfigMap", "beholden-settings")[0]["data"])
    for deployment in named(documents, "Deployment", f"beholden-{service}"):
        for one in deployment["spec"]["template"]["spec"]["containers"][0]["env"]:
            given.setdefault(one["name"], one.get("value", "1"))
    return {name: value for name, value in given.items() if name.startswith("BEHOLDEN_")}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_setting_is_one_and_can_be_what_it_is_set_to(
    rendered: Any, overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(rendered(overlay))
    assert given.keys() >= {"BEHOLDEN_LISTEN", "BEHOLDEN_LEDGER_URL", "BEHOLDEN_POLICY_URL"}
    for name, value in given.items():
        place: Any = Settings
        for part in name.removeprefix("BEHOLDEN_").lower().split("__"):
            assert issubclass(place, BaseModel) or hasattr(place, "__dataclass_fields__"), name
            fields = getattr(place, "model_fields", None) or place.__dataclass_fields__
            assert part in fields, f"{name} is no setting"
            found = fields[part]
            place = getattr(found, "annotation", None) or found.type
        monkeypatch.setenv(name, value)
    made = Settings()
    assert made.guard.identity.jwks_url or made.guard.identity.key_file.is_absolute()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_pod_serves_and_is_asked_for_its_own_service(rendered: Any, overlay: str) -> None:
    documents = rendered(overlay)
    deployments = named(documents, "Deployment", "beholden-")
    served = [one["metadata"]["name"].removeprefix("beholden-") for one in deployments]
    assert sorted(served) == sorted(SERVICES)
    for name, deployment in zip(served, deployments, strict=True):
        given = settings(documents, name)
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        full = f"beholden.v1.{name.capitalize()}Service"
        assert container["args"] == ["serve", name]
        assert container["readinessProbe"]["grpc"]["service"] == full
        assert container["livenessProbe"]["grpc"]["service"] == LIVENESS
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert given["BEHOLDEN_LISTEN"] == f"0.0.0.0:{ports['grpc']}"
        assert given["BEHOLDEN_HEALTH_LISTEN"] == f"0.0.0.0:{ports['health']}"
        assert container["readinessProbe"]["grpc"]["port"] == ports["health"]
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        for path in (value for value in given.values() if value.startswith("/")):
            assert any(one.startswith(path) or path.startswith(one) for one in mounts), path


def test_every_service_is_routed_to_the_pods_that_serve_it(rendered: Any) -> None:
    documents = rendered("prod")
    routed = {
        match["method"]["service"]: rule["backendRefs"]
        for route in named(documents, "GRPCRoute")
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
    }
    places = {f"beholden.v1.{name.capitalize()}Service": f"beholden-{name}" for name in SERVICES}
    # Operations are asked where they were begun.
    places["google.longrunning.Operations"] = "beholden-video"
    backends = {full: [{"name": name, "port": 50051}] for full, name in places.items()}
    assert routed == backends
    services = {one["metadata"]["name"] for one in named(documents, "Service", "beholden-")}
    assert services == set(places.values())
    [policy] = named(documents, "BackendTLSPolicy")
    assert {one["name"] for one in policy["spec"]["targetRefs"]} == services


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_an_upload_waits_in_is_shared_and_what_is_ones_own_cannot_be_written(
    rendered: Any, overlay: str
) -> None:
    documents = rendered(overlay)
    [video] = named(documents, "Deployment", "beholden-video")
    pod = video["spec"]["template"]["spec"]
    claims = {one["name"]: one.get("persistentVolumeClaim") for one in pod["volumes"]}
    mounts = {one["mountPath"]: one for one in pod["containers"][0]["volumeMounts"]}
    given = settings(documents, "video")
    spool, library = (mounts[given[f"BEHOLDEN_VIDEO__{name}"]] for name in ("SPOOL", "FOLDER"))
    assert not spool.get("readOnly")
    assert library["readOnly"]
    made = {one["metadata"]["name"]: one for one in named(documents, "PersistentVolumeClaim")}
    modes = [made[claims[one["name"]]["claimName"]]["spec"] for one in (spool, library)]
    wanted = "ReadWriteOnce" if overlay == "dev" else "ReadWriteMany"
    assert [one["accessModes"] for one in modes] == [[wanted]] * 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_guarded_port_is_reachable_and_engines_only_for_who_needs_them(
    rendered: Any, overlay: str
) -> None:
    """Read as the API defines them: policies add up, and what none allows is denied."""
    documents = rendered(overlay)
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in named(documents, "Deployment")
    }
    pods |= {
        "ledger-1": {"cnpg.io/cluster": "ledger"},
        "milvus": {"app.kubernetes.io/instance": "milvus"},
        "stranger": {"app": "stranger"},
        "caller": {"beholden.dev/caller": "true"},
    }

    def may(source: str, target: str, port: int | str) -> bool:
        policies = [one["spec"] for one in named(documents, "NetworkPolicy")]
        entering = any(
            _selects(policy["podSelector"], pods[target])
            and _lets(policy.get("ingress", []), "from", pods[source], port)
            for policy in policies
        )
        leaving = any(
            _selects(policy["podSelector"], pods[source])
            and _lets(policy.get("egress", []), "to", pods[target], port)
            for policy in policies
        )
        # Policies elsewhere say what a caller may; here only what a service lets in counts.
        return entering and (leaving or source in {"caller", "stranger"})

    services = [name for name in pods if name.startswith("beholden-")]
    for service in services:
        assert may("caller", service, "grpc")
        assert not may("stranger", service, "grpc")
        assert not may("caller", service, "health")
        assert may(service, "ledger-1", 5432)
        assert may(service, "otel-collector", 4317)
        assert not may("caller", "ledger-1", 5432)
        assert not may(service, "beholden-governance", "grpc")
    keeping = [one for one in services if may(one, "milvus", 19530)]
    assert sorted(keeping) == ["beholden-search", "beholden-video"]
    if "triton" in pods:
        needs = {name for name in services if "beholden.dev/inference" in pods[name]}
        assert {one for one in services if may(one, "triton", 8001)} == needs
        assert not may("caller", "triton", "grpc")


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items()
    return wanted <= labels.items() and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])
    )


def _lets(
    rules: list[Mapping[str, Any]], side: str, labels: Mapping[str, str], port: int | str
) -> bool:
    named_ports = {"grpc": 8001, 8001: "grpc", "otlp": 4317, 4317: "otlp"}
    ports = {port, named_ports.get(port)}
    return any(
        ("ports" not in rule or ports & {one["port"] for one in rule["ports"]})
        and any(
            "podSelector" in peer
            and "namespaceSelector" not in peer
            and _selects(peer["podSelector"], labels)
            for peer in rule.get(side, [])
        )
        for rule in rules
    )
