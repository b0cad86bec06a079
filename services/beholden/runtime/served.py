"""A service as a server takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from beholden.runtime.health import Probe


@dataclass(frozen=True, slots=True)
class Served:
    """One service: what it is, how it joins a server, and when it is ready."""

    descriptor: ServiceDescriptor
    join: Callable[[grpc.aio.Server], None]
    probe: Probe

    @property
    def name(self) -> str:
        """Its full gRPC name."""
        return str(self.descriptor.full_name)
