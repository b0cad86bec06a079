"""The way to a server: plain or TLS, what is tried again, and how large an answer may be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.longrunning import operations_pb2
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from beholden.v1 import (
    detection_pb2,
    embedding_pb2,
    governance_pb2,
    moderation_pb2,
    search_pb2,
    video_pb2,
)

File = str | os.PathLike[str]

_PROTOS = (
    detection_pb2,
    embedding_pb2,
    governance_pb2,
    moderation_pb2,
    search_pb2,
    video_pb2,
)
_OPERATIONS_REPEATABLE = ("GetOperation", "ListOperations", "WaitOperation", "CancelOperation")

PATIENCE = 8.0
"""A server that starts again is back before the last try, which is about as many seconds later."""

_LARGEST_ANSWER = 64 * 2**20
# gRPC sends nothing again that is larger than this, 256 KiB by default: less than a picture.
_LARGEST_REPEATED = 24 * 2**20


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: whom to believe (the system's authorities if None), and who one is oneself (mTLS)."""

    ca: File | None = None
    certificate: File | None = None
    key: File | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate and its key come together")

    def __bool__(self) -> bool:
        return self.ca is not None or self.certificate is not None

    def credentials(self) -> grpc.ChannelCredentials:
        """For a channel. Raises OSError for a file that cannot be read."""
        return grpc.ssl_channel_credentials(*map(_read, (self.ca, self.key, self.certificate)))


NONE = Certificates()
"""Those of the system, and none of one's own."""


def target(address: str, certificates: Certificates) -> tuple[str, grpc.ChannelCredentials | None]:
    """What gRPC calls `address` (host:port, or https://host:port for TLS), and how to prove oneself.

    Certificates mean TLS too. Raises ValueError for certificates over http://, OSError for a file
    that cannot be read.
    """
    scheme, _, rest = address.rpartition("://")
    if scheme == "http" and certificates:
        raise ValueError("certificates need https://")
    secure = scheme == "https" or bool(certificates)
    plain = rest if scheme in {"http", "https"} else address
    return plain.rstrip("/"), certificates.credentials() if secure else None


def channel(
    address: str, certificates: Certificates, *, patience: float = PATIENCE
) -> grpc.Channel:
    """See `target`; `patience` is the longest pause before a call is tried again, in seconds."""
    place, credentials = target(address, certificates)
    if credentials:
        return grpc.secure_channel(place, credentials, options(patience))
    return grpc.insecure_channel(place, options(patience))


def aio_channel(address: str, certificates: Certificates) -> grpc.aio.Channel:
    """See `target`."""
    place, credentials = target(address, certificates)
    if credentials:
        return grpc.aio.secure_channel(place, credentials, options())
    return grpc.aio.insecure_channel(place, options())


def options(patience: float = PATIENCE) -> list[tuple[str, Any]]:
    """A channel's options."""
    return [
        ("grpc.service_config", json.dumps(_service_config(patience))),
        ("grpc.max_receive_message_length", _LARGEST_ANSWER),
        ("grpc.per_rpc_retry_buffer_size", _LARGEST_REPEATED),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]


def services() -> Iterator[ServiceDescriptor]:
    """Every service of Beholden."""
    for proto in _PROTOS:
        yield from proto.DESCRIPTOR.services_by_name.values()


def _service_config(patience: float) -> dict[str, Any]:
    """What the protos call idempotent is tried again, when the server says if it does."""
    names = [
        {"service": service.full_name, "method": method.name}
        for service in services()
        for method in service.methods
        if method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
    ]
    operations = operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name
    names += [{"service": operations, "method": method} for method in _OPERATIONS_REPEATABLE]
    policy = {
        "maxAttempts": 5,
        "initialBackoff": "0.2s",
        "maxBackoff": f"{patience:g}s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
    }
    return {"methodConfig": [{"name": names, "retryPolicy": policy}]}


def _read(file: File | None) -> bytes | None:
    return None if file is None else Path(file).read_bytes()
