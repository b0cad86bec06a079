"""Work that outlasts its call: what is asked, how far it is, and what it found so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from beholden.core.geometry import Box
from beholden.core.law import Json


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a tenant. Times are Unix nanoseconds, 0 where not yet.

    `spec` is what is asked, `caller` who asked, as plain JSON; `request_id` tells the same request
    sent again. `chunk` counts the units that are finished, `progress` is what can be told of them.
    `attempts` counts the workers that took the present chunk. `error` has a `code` (a name of
    google.rpc.Code), a `reason` and a `message` where it failed. By `delete_ns` the law wants it gone;
    from `expire_ns` on it is, the sooner of that and the end of the time that jobs are kept.
    """

    id: str
    kind: str
    tenant: str
    principal: str
    spec: Mapping[str, Json]
    caller: Mapping[str, Json] = field(repr=False)
    created_ns: int
    request_id: str = ""
    priority: int = 0
    state: JobState = JobState.QUEUED
    chunk: int = 0
    attempts: int = 0
    progress: Mapping[str, Json] = field(default_factory=dict)
    error: Mapping[str, Json] = field(default_factory=dict)
    started_ns: int = 0
    ended_ns: int = 0
    delete_ns: int = 0
    expire_ns: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is one worker's until its lease ends; `checkpoint` is what the last chunk left."""

    job: Job
    worker: str
    checkpoint: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something found in a video, from `start_us` until before `end_us`.

    A `span` is a whole stretch, any other one frame's. `track` numbers the thing that is followed,
    0 where nothing is. `detail` is plain JSON by feature; `picture` a JPEG, or empty.
    """

    feature: str
    name: str
    start_us: int
    end_us: int
    confidence: float
    span: bool = False
    track: int = 0
    box: Box | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    picture: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which annotations of a job: of these features (all where none), of this name; spans or frames."""

    features: tuple[str, ...] = ()
    name: str = ""
    spans: bool = False
    by_name: bool = False
