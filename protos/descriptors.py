"""Writes the whole API as one file of descriptors, for generators of other languages and for grpcurl."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from build import includes, ours
from grpc_tools import protoc

# Nothing of ours imports it, and every client reads it.
_ALSO = "google/rpc/error_details.proto"


def main() -> int:
    """Writes into the file in the first argument; all imports are in it. Returns protoc's exit status."""
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        options = ["--include_imports", "--include_source_info", f"--descriptor_set_out={out}"]
        status: int = protoc.main(["protoc", *includes(Path(folder)), *options, *ours(), _ALSO])
        return status


if __name__ == "__main__":
    sys.exit(main())
