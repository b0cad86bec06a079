"""Who is calling, as the guard found out; servicers read it, only the guard sets it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from beholden.core.errors import Unauthenticated
from beholden.core.law import Facts, Json


@dataclass(frozen=True, slots=True)
class Caller:
    """The call's identity and circumstances.

    `media` are the SHA-256 digests (hex) of the request's pictures in field order, in a stream those
    of the message taken last; `facts` are what the law was asked with; `rpc` is the method's path.
    Nothing that is kept of what the call brings may outlast `delete_by_ns` (Unix nanoseconds).
    Plain enough to be kept with a job: `Caller(**dataclasses.asdict(caller()))` asks again as well.
    """

    tenant: str
    principal: str
    roles: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    facts: Facts = field(default_factory=dict)
    rpc: str = ""
    decision_id: str = ""
    withheld: tuple[str, ...] = ()
    """The classes of response fields that the law takes out of the answer: no need to find them."""
    delete_by_ns: int | None = None
    obligations: tuple[tuple[str, Json, str], ...] = ()
    """What the decision came with: kind, value, and the law's entry behind it."""


CALLER: ContextVar[Caller] = ContextVar("beholden_caller")


def caller() -> Caller:
    """The caller of the call in progress. Raises Unauthenticated outside a guarded call."""
    try:
        return CALLER.get()
    except LookupError:
        raise Unauthenticated("this call did not come through the guard") from None
