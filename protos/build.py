"""Generates the Python stubs from the protos: at build (hatch's hook) and by `make protos`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "services"


def generate() -> list[Path]:
    """Writes services/beholden/v1 and the client's methods from our protos, and returns what it wrote.

    Raises RuntimeError with protoc's own exit status when a proto does not compile.
    """
    from grpc_tools import protoc

    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    stubber = shutil.which("protoc-gen-mypy_grpc", path=beside)
    package = OUTPUT / "beholden" / "v1"
    package.mkdir(parents=True, exist_ok=True)
    for stale in package.glob("*_pb2*"):
        stale.unlink()
    with tempfile.TemporaryDirectory() as folder:
        status = protoc.main(
            [
                "protoc",
                *includes(Path(folder)),
                f"--python_out={OUTPUT}",
                f"--pyi_out={OUTPUT}",
                f"--grpc_python_out={OUTPUT}",
                f"--plugin=protoc-gen-mypy_grpc={stubber}",
                f"--mypy_grpc_out=quiet:{OUTPUT}",
                "--include_source_info",
                f"--descriptor_set_out={folder}/beholden.pb",
                *ours(),
            ]
        )
        if status != 0:
            raise RuntimeError(f"protoc ended with status {status}")
        (package / "__init__.py").write_text(
            '"""Generated from protos/beholden/v1; never edited."""\n'
        )
        # A process of its own: this one may know the protos as they were.
        writer = [sys.executable, str(ROOT / "protos" / "methods.py")]
        client = OUTPUT / "beholden" / "client"
        subprocess.run([*writer, f"{folder}/beholden.pb", str(client)], check=True)
    return sorted((*package.glob("*.py*"), *client.glob("*methods.py")))


def ours() -> list[str]:
    """Our protos, by the names that they import each other by."""
    return sorted(
        str(proto.relative_to(ROOT / "protos")) for proto in (ROOT / "protos").rglob("*.proto")
    )


def includes(folder: Path) -> list[str]:
    """Where protoc finds our protos and all that they import; `folder` is for what has to be laid."""
    import google.rpc
    import grpc_tools

    googleapis = Path(next(iter(google.rpc.__path__))).parent.parent
    lay_operations(googleapis, folder)
    builtin = Path(grpc_tools.__file__).parent / "_proto"
    return [f"-I{place}" for place in (ROOT / "protos", googleapis, builtin, folder)]


def lay_operations(googleapis: Path, folder: Path) -> None:
    """Lays operations.proto under `folder` by the name that its stubs know it by.

    googleapis-common-protos ships it under another, which the stubs' descriptor does not have.
    """
    into = folder / "google" / "longrunning"
    into.mkdir(parents=True, exist_ok=True)
    source = googleapis / "google" / "longrunning" / "operations_proto.proto"
    shutil.copy(source, into / "operations.proto")


class GenerateStubs(BuildHookInterface[Any]):
    """Hatch's build hook: the wheel and the editable install both carry fresh stubs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generates before hatch collects files."""
        generate()


if __name__ == "__main__":
    print(f"{len(generate())} files in services/beholden/v1 and client")
