"""Renders the overlays with kustomize, and holds what comes out against schemas and policy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

K8S = Path(__file__).resolve().parent
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"
_BIN = K8S.parent / ".engines" / "bin"
_COMMON = {
    "Name": {"required": ["name"], "properties": {"name": {"type": "string"}}},
    "Strings": {"type": "object", "additionalProperties": {"type": "string"}},
}

Document = Mapping[str, Any]


def overlays() -> list[Path]:
    """Every overlay's folder."""
    return sorted(path.parent for path in K8S.glob("overlays/*/kustomization.yaml"))


def find_kustomize() -> list[str] | None:
    """The command that renders: the project's own kustomize, another, or kubectl's; None without any."""
    if own := which("kustomize"):
        return [own, "build"]
    kubectl = which("kubectl")
    return [kubectl, "kustomize"] if kubectl else None


def which(program: str) -> str | None:
    """Where it is: among the project's own, the Go toolchain's, or on PATH."""
    gopath = os.environ.get("GOPATH") or Path.home() / "go"
    path = os.pathsep.join([str(_BIN), f"{gopath}/bin", os.environ.get("PATH", "")])
    return shutil.which(program, path=path)


def install_kustomize() -> None:
    """Builds kustomize with the Go toolchain under the project. Raises CalledProcessError, OSError."""
    _BIN.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "GOBIN": str(_BIN), "CGO_ENABLED": "0"}
    subprocess.run(["go", "install", KUSTOMIZE], env=env, check=True)


def render(kustomize: Sequence[str], overlay: Path) -> list[Document]:
    """The overlay's documents. Raises ValueError with what kustomize says of it."""
    run = subprocess.run([*kustomize, overlay], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise ValueError(f"{overlay.name}: {run.stderr.strip()}")
    return list(yaml.load_all(run.stdout, Loader=_LOADER))


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def against_schemas(documents: Sequence[Document]) -> Iterator[str]:
    """A sentence for each document that is not as its kind's schema has it."""
    kinds = _schemas()
    for document in documents:
        kind = f"{document.get('apiVersion')}/{document.get('kind')}"
        place = f"{document.get('kind')} {document.get('metadata', {}).get('name')}"
        if kind not in kinds:
            yield f"{place}: no schema of {kind} is in k8s/schemas"
        elif error := best_match(kinds[kind].iter_errors(document)):
            yield f"{place}: {error.json_path}: {error.message[:300]}"


def against_policy(opa: str, documents: Sequence[Document]) -> list[str]:
    """The sentences of policy/manifests.rego on them. Raises CalledProcessError."""
    run = subprocess.run(
        [opa, "eval", "--data", K8S / "policy", "--stdin-input", "data.manifests.violations"],
        input=json.dumps({"documents": documents}),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(run.stdout)["result"][0]["expressions"][0]["value"]
    return found


@cache
def _schemas() -> dict[str, Draft202012Validator]:
    """A validator for each kind: Kubernetes' own schemas, and ours for custom resources."""
    vendored = json.loads((K8S / "schemas" / "kubernetes.json").read_text())
    definitions = {**vendored["$defs"], **{name: _strict(one) for name, one in _COMMON.items()}}
    kinds = {kind: {"$ref": f"#/$defs/{name}"} for kind, name in vendored["kinds"].items()}
    for file in sorted((K8S / "schemas").glob("*.yaml")):
        for kind, spec in yaml.safe_load(file.read_text()).items():
            definitions |= {n: _strict(one) for n, one in spec.pop("$defs", {}).items()}
            metadata = "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
            properties = {"metadata": {"$ref": metadata}, "spec": spec}
            names = {"apiVersion": {}, "kind": {}, **properties}
            kinds[kind] = _strict({"properties": names, "required": list(names)})
    return {
        kind: Draft202012Validator({**schema, "$defs": definitions})
        for kind, schema in kinds.items()
    }


def _strict(schema: Any) -> Any:
    """What our files leave out: an object has no other fields than it names, unless it is open."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("open"):
        return {"type": "object"}
    if "properties" not in schema:
        return {key: _strict(value) for key, value in schema.items()}
    properties = {name: _strict(one) for name, one in schema["properties"].items()}
    return {**schema, "type": "object", "additionalProperties": False, "properties": properties}
