"""One call on its way through the guard, and the shape of every place that it passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import grpc
from google.protobuf.message import Message

from beholden.core.law import Decision, Facts, Json

if TYPE_CHECKING:
    from beholden.guard.methods import Method
    from beholden.guard.obligations import Duties

Metadata = Mapping[str, tuple[str | bytes, ...]]
"""What came with the call, by key; a key may come more than once."""

Tenants = Mapping[str, Mapping[str, Json]]
"""The tenant registry: each tenant's record by its id."""

Next = Callable[["Call"], Awaitable[Message]]
"""The rest of the chain."""


class Place(Protocol):
    """One concern in the life of a call: does its part, and lets the rest of the chain proceed or not."""

    async def __call__(self, call: Call, proceed: Next) -> Message:
        """Returns the answer, its own part done. Raises a BeholdenError to refuse."""
        ...


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the token's subject, the tenant it acts for, and its roles there."""

    id: str
    tenant: str
    roles: tuple[str, ...] = ()


@dataclass(slots=True)
class Call:
    """What is known of a call. A place that reads what none has set yet fails, and so the call does.

    `remaining` is the caller's time in seconds, None without end. `receive` takes the request off
    the wire; `handle` asks the servicer.
    """

    method: Method
    metadata: Metadata
    remaining: float | None
    receive: Callable[[], Awaitable[bytes]]
    handle: Callable[[Message], Awaitable[Message]]

    status: grpc.StatusCode = grpc.StatusCode.OK
    """What the caller is told."""
    decision_id: str = ""
    """Empty until the law has been asked."""
    decision: Decision | None = None
    withheld: dict[str, int] = field(default_factory=dict)
    """How much of the answer each kind of obligation took away."""

    principal: Principal = field(init=False)
    tenant: Mapping[str, Json] = field(init=False)
    """The tenant's record, its `id` included."""
    deadline: float = field(init=False)
    """When the call must have ended, on the event loop's clock."""
    raw: bytes = field(init=False, repr=False)
    request: Message = field(init=False, repr=False)
    media: tuple[str, ...] = field(init=False)
    """SHA-256 (hex) of the request's pictures, in field order."""
    facts: Facts = field(init=False)
    duties: Duties = field(init=False)
