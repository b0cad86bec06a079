"""Descriptors from proto source, in a pool of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import google.rpc
import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[3]
INCLUDES = (
    ROOT / "protos",
    Path(next(iter(google.rpc.__path__))).parent.parent,
    Path(grpc_tools.__file__).parent / "_proto",
)
HEAD = """
syntax = "proto3";
package trial;
import "beholden/v1/policy.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
"""


def compiled(folder: Path, source: str) -> Any:
    """The descriptors of `source`, the package `trial`, whose options are read as any proto's are."""
    source = source.replace("(limits)", "(beholden.v1.limits)")
    source = source.replace("(field_policy)", "(beholden.v1.field_policy)")
    source = source.replace("(method_policy)", "(beholden.v1.method_policy)")
    (folder / "trial.proto").write_text(HEAD + source)
    out = folder / "trial.binpb"
    status = protoc.main(
        [
            "protoc",
            f"-I{folder}",
            *(f"-I{include}" for include in INCLUDES),
            "--include_imports",
            f"--descriptor_set_out={out}",
            "trial.proto",
        ]
    )
    assert status == 0
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.Add(file)
    return pool.FindFileByName("trial.proto")
