"""What is written down: decisions, what waits for people to look, and jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from beholden.core.gallery import (
    Page,
)
from beholden.core.jobs import Annotation, Claim, Job, JobState, Wanted
from beholden.core.law import (
    Json,
)
from beholden.core.record import Entry, Record, Verification
from beholden.core.review import HeldAnswer, Opinion, Review


class Ledger(Protocol):
    """The append-only, hash-chained account of every decision and outcome."""

    async def append(self, record: Record) -> Entry:
        """Durable on return (many appends share one commit). Raises Unavailable."""
        ...

    async def get(self, tenant: str, id: str) -> tuple[Entry, ...]:
        """The decision and its outcome, oldest first; empty when there is none for this tenant."""
        ...

    async def list(
        self, tenant: str, *, page_size: int, page_token: str = "", denied_only: bool = False
    ) -> Page[Entry]:
        """A tenant's entries, newest first. Raises InvalidArgument (page token)."""
        ...

    async def verify(self) -> Verification:
        """Reads every chain from its beginning; bounded memory."""
        ...

    async def ready(self) -> bool:
        """Whether a record could be written now."""
        ...

    async def close(self) -> None:
        """Commits what was accepted and lets go; further calls raise Unavailable."""
        ...


class Reviews(Protocol):
    """The answers that wait for people, kept until they are fetched, rejected or expired."""

    async def hold(self, review: Review, answer: HeldAnswer) -> Review:
        """Durable on return; answers the review with its expiry, the one that it has or sooner.

        Raises Unavailable.
        """
        ...

    async def get(self, tenant: str, id: str) -> Review:
        """Raises NotFound."""
        ...

    async def list(
        self,
        tenant: str,
        *,
        requester: str = "",
        pending_only: bool = False,
        page_size: int,
        page_token: str = "",
    ) -> Page[Review]:
        """A tenant's, or one requester's there, newest first. Raises InvalidArgument (page token)."""
        ...

    async def answer(self, tenant: str, id: str) -> HeldAnswer | None:
        """What is withheld; None once it is deleted. Raises NotFound."""
        ...

    async def judge(self, tenant: str, id: str, opinion: Opinion) -> Review:
        """Adds an opinion as `core.review.judged` has it; an answer that is rejected is deleted.

        Raises NotFound, and what `judged` raises.
        """
        ...

    async def fetched(self, tenant: str, id: str) -> None:
        """The requester has the answer: it is deleted soon, not at once, so that it can be asked again."""
        ...

    async def close(self) -> None:
        """Lets go; further calls raise Unavailable."""
        ...


class Jobs(Protocol):
    """A queue of work that outlasts its calls, shared by any number of workers, and what was found.

    A job that has expired is not there: whoever asks for it is told so, and nobody works on it.
    """

    async def create(self, job: Job) -> Job:
        """Durable on return. With a request id that the tenant used before, the job that it made.

        Raises InvalidArgument (that one asked for something else), ResourceExhausted.
        """
        ...

    async def get(self, tenant: str, id: str) -> Job:
        """Raises NotFound."""
        ...

    async def list(
        self, tenant: str, kind: str, *, page_size: int, page_token: str = ""
    ) -> Page[Job]:
        """A tenant's, newest first. Raises InvalidArgument (page size, page token)."""
        ...

    async def cancel(self, tenant: str, id: str) -> Job:
        """Over on return, whatever a worker still does; one that is over stays as it is. Raises NotFound."""
        ...

    async def delete(self, tenant: str, id: str) -> Job:
        """Removes it with all that it found, running or not. Raises NotFound."""
        ...

    async def claim(self, kind: str, worker: str) -> Claim | None:
        """The next job, or one whose worker gave no sign of life, is now this worker's; None: no work.

        Tenants take turns, the one with least running first; within a tenant priority, then age.
        A job that ended too many workers at one chunk ends FAILED instead.
        """
        ...

    async def renew(self, claim: Claim) -> bool:
        """A sign of life; False where the job is no longer this worker's, or over."""
        ...

    async def advance(
        self,
        claim: Claim,
        *,
        checkpoint: bytes,
        progress: Mapping[str, Json],
        found: Sequence[Annotation],
        delete_ns: int = 0,
    ) -> Claim | None:
        """One chunk is done: all of it durable on return, or nothing and None where it is not ours.

        Where the law by now wants it gone by `delete_ns` and that is sooner, so it will be.
        """
        ...

    async def finish(
        self,
        claim: Claim,
        *,
        progress: Mapping[str, Json],
        found: Sequence[Annotation] = (),
        error: Mapping[str, Json] | None = None,
        delete_ns: int = 0,
    ) -> bool:
        """The last chunk is done, or the job failed; False and nothing where it is not ours."""
        ...

    async def release(self, claim: Claim, *, wait: float = 0.0, counted: bool = False) -> bool:
        """Gives it back, to be taken after `wait` seconds; `counted` as an attempt at the chunk."""
        ...

    async def annotations(
        self, tenant: str, id: str, wanted: Wanted, *, page_size: int, page_token: str = ""
    ) -> Page[Annotation]:
        """By time, or by name and time. Raises NotFound, InvalidArgument (page size, page token)."""
        ...

    async def expire(self) -> Sequence[str]:
        """Removes the jobs that have expired with all that they found, and answers their ids."""
        ...

    async def states(self, ids: Sequence[str]) -> Mapping[str, JobState]:
        """Where those of the ids stand that are jobs."""
        ...

    async def unfinished(self, kind: str) -> Mapping[JobState, int]:
        """How many jobs of all tenants wait, and how many run."""
        ...

    async def close(self) -> None:
        """Lets go; further calls raise Unavailable."""
        ...
