"""One process to run: what is started, where it answers, and how its health is asked."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_PATIENCE = 2.0
_IS_HEALTHY = 2
"""The field of milvus.proto's CheckHealthResponse, whose definition only Milvus's SDK has."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What `process.start` starts.

    `address` is where clients find it, `health` a URL for `healthy`, `patience` how many seconds it
    may take to become healthy, `stop` the signal that it ends well after. `user` is who it runs as
    where that is not who starts it. `leaves` is a pattern of the files that it leaves behind when it is
    killed. Other users may read nothing that it writes.
    """

    name: str
    argv: Sequence[str]
    address: str
    health: str
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()
    user: str | None = None
    stop: signal.Signals = signal.SIGTERM
    patience: float = 60.0
    leaves: str = ""


def healthy(url: str) -> bool:
    """Whether what `url` names answers well, asked within two seconds.

    `http://host:port/path` and `unix:///socket?path=/health` are asked for 200, `grpc://host:port`
    for SERVING (grpc.health.v1), `milvus://host:port` for isHealthy, `postgresql://...` for a session.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "http":
            return _answers(http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE), parts.path)
        case "unix":
            path = parse_qs(parts.query).get("path", ["/"])[0]
            return _answers(_UnixConnection(parts.path), path)
        case "grpc":
            return _serves(parts.netloc)
        case "milvus":
            return _all_parts_serve(parts.netloc)
        case "postgresql":
            return _takes_sessions(url)
    raise ValueError(f"no health can be asked of {url}")


def free_port(preferred: int = 0) -> int:
    """A TCP port of loopback that nothing listens on: `preferred`, or any where that is taken."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port of loopback is free")


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connects to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _serves(address: str) -> bool:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=_PATIENCE)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _all_parts_serve(address: str) -> bool:
    """Milvus's own account of its coordinators and nodes; its HTTP answers well before they do."""
    import grpc
    from google.protobuf import empty_pb2, unknown_fields

    with grpc.insecure_channel(address) as channel:
        ask: Any = channel.unary_unary("/milvus.proto.milvus.MilvusService/CheckHealth")
        try:
            answer = ask(b"", timeout=_PATIENCE)
        except grpc.RpcError:
            return False
    fields: Any = unknown_fields.UnknownFieldSet(empty_pb2.Empty.FromString(answer))
    return any(field.field_number == _IS_HEALTHY and field.data == 1 for field in fields)


def _takes_sessions(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=int(_PATIENCE)).close()
    except psycopg.Error:
        return False
    return True


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what is Beholden's own, and `more`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("BEHOLDEN_")}
    return {**own, **more}
