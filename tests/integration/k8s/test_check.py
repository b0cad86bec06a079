"""What breaks a probe, a limit, a schema or the rendering breaks the check, in its own words."""

from pathlib import Path

import pytest

from tests.integration.k8s.conftest import check


def broken(copy: Path, file: str, old: str, new: str) -> None:
    path = copy / "k8s" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_each_break_is_found_and_told(copy: Path) -> None:
    template = "base/template/deployment.yaml"
    broken(
        copy, template, "livenessProbe:\n            # Never", "unknownProbe:\n            # Never"
    )
    broken(copy, "base/telemetry/collector.yaml", 'limits: {cpu: "1", memory: 512Mi}', "limits: {}")
    broken(copy, "base/engines/ledger.yaml", "instances: 1", "instances: many")
    broken(copy, "overlays/dev/kustomization.yaml", "[../../base]", "[../../base, absent.yaml]")
    broken(copy, "overlays/airgapped/kustomization.yaml", "newTag: 0.1.0-models", "newTag: latest")
    ended = check(copy)
    assert ended.returncode == 1
    for said in (
        "prod: Deployment beholden-search: $.spec.template.spec.containers[0]: "
        "Additional properties are not allowed ('unknownProbe' was unexpected)",
        "prod: Deployment beholden-search, container beholden: has no livenessProbe",
        "prod: Deployment otel-collector, container collector: has no memory in its limits",
        "airgapped: Cluster ledger: $.spec.instances: 'many' is not of type 'integer'",
        "airgapped: Deployment beholden-search, container beholden: its image "
        "images.example.internal/beholden:latest has no tag that stays",
        "absent.yaml",
    ):
        assert said in ended.stderr, ended.stderr
    # One line for each fault, and none besides.
    assert "Deployment beholden-search: no NetworkPolicy" not in ended.stderr


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_without_its_programs_it_says_so_and_fails_in_ci(copy: Path, ci: str, code: int) -> None:
    nowhere = str(copy / "nothing")
    ended = check(copy, PATH=nowhere, GOPATH=nowhere, CI=ci)
    assert ended.returncode == code
    assert "no kustomize and no opa here" in ended.stdout + ended.stderr
    assert "make engines" in ended.stdout + ended.stderr
