"""Checks every overlay offline: it renders, keeps its schemas, and keeps our policy on manifests.

Usage: python k8s/check.py [--install]. What is not on this machine is said, and fails where CI=true;
--install builds kustomize with the Go toolchain where nothing renders.
"""

import os
import subprocess
import sys

from manifests import (
    against_policy,
    against_schemas,
    find_kustomize,
    install_kustomize,
    overlays,
    render,
    which,
)


def main() -> str:
    """What is wrong, empty where nothing is."""
    kustomize, opa = find_kustomize(), which("opa")
    missing = [name for name, found in (("kustomize", kustomize), ("opa", opa)) if not found]
    if kustomize is None or opa is None:
        said = (
            f"no {' and no '.join(missing)} here, so the manifests are not checked: `make engines`"
        )
        if os.environ.get("CI") == "true":
            return said
        print(said)
        return ""
    faults = []
    for overlay in overlays():
        try:
            documents = render(kustomize, overlay)
        except ValueError as error:
            faults.append(str(error))
            continue
        found = [*against_schemas(documents), *against_policy(opa, documents)]
        faults += [f"{overlay.name}: {fault}" for fault in found]
    return "\n".join(faults)


def install() -> str:
    """Why it cannot be had, empty where it is there."""
    if find_kustomize() is None:
        try:
            install_kustomize()
        except (OSError, subprocess.CalledProcessError) as error:
            return f"kustomize cannot be built: {error}"
    return ""


if __name__ == "__main__":
    sys.exit((install() if "--install" in sys.argv else main()) or None)
