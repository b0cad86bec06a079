"""One call on its way through the guard, and the shape of every place that it passes."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.protobuf.message import Message

from beholden.core.caller import Caller
from beholden.core.law import Decision, Facts, Json
from beholden.guard.tally import Tally

if TYPE_CHECKING:
    from beholden.guard.methods import Method
    from beholden.guard.obligations import Duties

Metadata = Mapping[str, tuple[str | bytes, ...]]
"""What came with the call, by key; a key may come more than once."""

Tenants = Mapping[str, Mapping[str, Json]]
"""The tenant registry: each tenant's record by its id."""

Answer = Message | None
"""What the call is answered with; None where the answers were streamed."""

Next = Callable[["Call"], Awaitable[Answer]]
"""The rest of the chain."""


class Place(Protocol):
    """One concern in the life of a call: does its part, and lets the rest of the chain proceed or not."""

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Returns the answer, its own part done. Raises a BeholdenError to refuse."""
        ...


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the token's subject, the tenant it acts for, its roles there, and its end (Unix s)."""

    id: str
    tenant: str
    roles: tuple[str, ...] = ()
    expires: float = field(default=math.inf, compare=False)


@dataclass(slots=True)
class Call:
    """What is known of a call. A place that reads what none has set yet fails, and so the call does.

    `remaining` is the caller's time in seconds, None without end. `receive` takes the next message off
    the wire, None where the caller has no more; `send` puts one of a stream's answers on it; `handle`
    asks the servicer. A stream's first message is the `request`, which the law is asked about.
    """

    method: Method
    metadata: Metadata
    remaining: float | None
    receive: Callable[[], Awaitable[bytes | None]]
    send: Callable[[Message], Awaitable[None]]
    handle: Callable[[Any], Any]

    status: grpc.StatusCode = grpc.StatusCode.OK
    """What the caller is told."""
    decision_id: str = ""
    """Empty until the law has been asked."""
    decision: Decision | None = None
    tally: Tally = field(default_factory=Tally)

    principal: Principal = field(init=False)
    tenant: Mapping[str, Json] = field(init=False)
    """The tenant's record, its `id` included."""
    deadline: float = field(init=False)
    """When the call must have ended, on the event loop's clock."""
    raw: bytes = field(init=False, repr=False)
    request: Message = field(init=False, repr=False)
    raw_rest: AsyncIterator[bytes] = field(init=False, repr=False)
    """A stream's messages after the first, and below as each place has passed them."""
    rest: AsyncIterator[Message] = field(init=False, repr=False)
    media: tuple[str, ...] = field(init=False)
    """SHA-256 (hex) of the request's pictures, in field order; of the last message's in a stream."""
    facts: Facts = field(init=False)
    duties: Duties = field(init=False)
    reviewable: bool = field(init=False)
    """Whether the answer can wait until people have looked at it."""

    def caller(self) -> Caller:
        """What servicers may know of it."""
        return Caller(
            tenant=self.principal.tenant,
            principal=self.principal.id,
            roles=self.principal.roles,
            media=self.media,
            facts=self.facts,
            rpc=self.method.path,
            decision_id=self.decision_id,
            delete_by_ns=self.duties.delete_by_ns,
            withheld=tuple(sorted(self.duties.redact)),
            obligations=tuple(
                (one.kind, one.value, one.law)
                for one in (self.decision.obligations if self.decision else ())
            ),
        )
