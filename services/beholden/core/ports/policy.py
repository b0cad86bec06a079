"""The law: asked once, asked again, and tried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from beholden.core.caller import Caller
from beholden.core.law import (
    Decision,
    Evaluation,
    Explanation,
    Facts,
    PolicyStatus,
    Reason,
    ShadowStatus,
)

T = TypeVar("T")


class PolicyEngine(Protocol):
    """Evaluates the one entrypoint, `usage/decision`, over facts."""

    async def decide(self, facts: Facts) -> Decision:
        """The decision: what `evaluate` answers, parsed strictly; anything odd or undefined denies.

        Raises Unavailable, InvalidArgument (facts too large).
        """
        ...

    async def evaluate(self, facts: Facts) -> Evaluation:
        """The bare answer; a pure function of law and facts.

        Raises Unavailable, InvalidArgument (facts too large).
        """
        ...

    async def explain(self, facts: Facts) -> Explanation:
        """What stands behind the decision; empty where the law has no `usage/explanation`.

        Raises Unavailable (also for an answer that cannot be understood), InvalidArgument.
        """
        ...

    async def status(self) -> PolicyStatus:
        """Which law is in force."""
        ...

    async def changed(self, revision: str) -> None:
        """Returns once another law than `revision` is in force; at once where it is already."""
        ...

    async def close(self) -> None:
        """Lets go of threads and connections; further calls raise Unavailable."""
        ...


class Shadow(Protocol):
    """A candidate law that is asked beside the one in force; nothing that it says is done."""

    def offer(self, decision_id: str, facts: Facts, decision: Decision) -> None:
        """Takes a decision to compare with its own; never waits, never raises, drops what is too much."""
        ...

    def status(self) -> ShadowStatus:
        """What it would have changed."""
        ...

    async def close(self) -> None:
        """Lets go, whatever waits."""
        ...


class Permission(Protocol):
    """The law's leave for one stream or job, which lasts only while the law gives it."""

    delete_by_ns: int | None
    """When the newest decision wants gone what is kept, in Unix nanoseconds."""

    async def again(self) -> Decision:
        """Asks about the call that began it, as of now; a decision that changed is in the ledger first.

        Raises Denied: the work ends. Raises Unavailable: nothing may be done until the law answers.
        """
        ...

    async def hold(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does the work, asking again on an interval and at once when the law changes.

        The work is cancelled when `again` raises, and so does this.
        """
        ...


class Permissions(Protocol):
    """Gives jobs what they ask the law again with."""

    def of(
        self,
        caller: Caller,
        told: Callable[[Decision], None] | None = None,
        *,
        cannot: Callable[[Decision], Reason | None] | None = None,
    ) -> Permission:
        """The permission of what this caller's call began, were it in another process.

        `told` hears of each decision, also of one that is like the one before. `cannot` says why what
        an allowed one obliges to cannot be kept: it is a refusal then.
        """
        ...
