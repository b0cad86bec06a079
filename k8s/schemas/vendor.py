"""Writes kubernetes.json anew: Kubernetes' own schemas, pruned to the kinds that are used here.

Usage: python k8s/schemas/vendor.py 1.33, in an environment that has the package kubernetes-validate
(Apache-2.0, as Kubernetes itself), whose 17,000 files are too many to install for every check.
"""

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

KINDS = (
    "apps.v1.Deployment",
    "autoscaling.v2.HorizontalPodAutoscaler",
    "batch.v1.Job",
    "core.v1.ConfigMap",
    "core.v1.Namespace",
    "core.v1.PersistentVolumeClaim",
    "core.v1.Service",
    "core.v1.ServiceAccount",
    "networking.v1.NetworkPolicy",
    "policy.v1.PodDisruptionBudget",
)
"""What may be in a manifest; a custom resource's schema is a file of ours beside this one."""


def main(version: str) -> None:
    """Reads the strict schemas, in which an unknown field is an error."""
    package = find_spec("kubernetes_validate")
    if package is None or package.origin is None:
        raise SystemExit("kubernetes-validate is not installed")
    schemas = Path(package.origin).parent / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    every = json.loads((schemas / "_definitions.json").read_text())["$defs"]
    kept: dict[str, Any] = {}

    def keep(name: str) -> None:
        if name not in kept:
            kept[name] = _bare(every[name])
            for other in _references(kept[name]):
                keep(other)

    kinds = {}
    for kind in KINDS:
        name = f"io.k8s.api.{kind}"
        keep(name)
        (told,) = every[name]["x-kubernetes-group-version-kind"]
        group = f"{told['group']}/" if told["group"] else ""
        kinds[f"{group}{told['version']}/{told['kind']}"] = name
    document = {"version": version, "kinds": kinds, "$defs": kept}
    out = Path(__file__).with_name("kubernetes.json")
    out.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n")
    print(f"{len(kept)} definitions, {out.stat().st_size:,} bytes")


def _bare(schema: Any) -> Any:
    """Without prose, extensions, and the status, which nobody applies."""
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _bare(one) for name, one in value.items() if name != "status"}
        if key == "properties"
        else _bare(value)
        for key, value in schema.items()
        if key not in {"description", "format"} and not key.startswith("x-kubernetes")
    }


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        for one in schema:
            yield from _references(one)


if __name__ == "__main__":
    main(sys.argv[1])
