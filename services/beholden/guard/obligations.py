"""Keeps what the law asks of an allowed call: least similarity, most results, redacted fields, and more.

Reviews are kept by review.py, deletion by whoever keeps something of the call, notices by the ledger.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from beholden.core.law import Json, Obligation
from beholden.guard.call import Answer, Call, Next
from beholden.guard.fields import AnnotationError, Path, annotated, holders, is_set, policy_of
from beholden.guard.review import ReviewPlan, compile_review

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


class CannotKeep(Exception):
    """An obligation that is not known here or makes no sense; the call is refused for it."""

    def __init__(self, obligation: Obligation, problem: str) -> None:
        super().__init__(f"the obligation {obligation.kind} cannot be kept: {problem}")
        self.obligation = obligation


@dataclass(frozen=True, slots=True)
class Duties:
    """The obligations on one call, the strictest of each kind."""

    min_similarity: float = -math.inf
    max_results: int | None = None
    redact: frozenset[str] = frozenset()
    reviewers: int = 0
    """How many people must look at the answer first, and the law's entry that says so."""
    review_law: str = ""
    delete_by_ns: int | None = None
    """When all that is kept of the call's outputs must be gone, in Unix nanoseconds."""

    @property
    def delete_by(self) -> str:
        """The same as an instant in UTC; empty where nothing need be deleted."""
        if self.delete_by_ns is None:
            return ""
        moment = datetime.fromtimestamp(self.delete_by_ns // 10**9, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class DutyPlan:
    """Where a response type keeps what obligations are about.

    `similarities` are pairs: the list, and the way from one of its items to its similarity.
    `redactable` are pairs: the class, and the field.
    """

    similarities: tuple[tuple[Path, Path], ...]
    results: tuple[Path, ...]
    redactable: tuple[tuple[str, Path], ...]
    review: ReviewPlan | None = None


class Obligations:
    """Takes out of the answer what the decision does not allow in it."""

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Notes in the call how much it took; a stream's answers have been through it one by one."""
        response = await proceed(call)
        if response is not None:
            call.tally.withhold(keep(call.duties, call.method.duties, response))
        return response


def duties(
    obligations: Iterable[Obligation],
    *,
    now_ns: int,
    reviewable: bool = False,
    notifies: bool = False,
) -> Duties:
    """What is to be done in a call made at `now_ns` (Unix).

    A review only where the answer is `reviewable`, a notice only where this server `notifies`. Raises
    CannotKeep for a kind that is not known or a value of the wrong type.
    """
    least, most, redact = -math.inf, None, set[str]()
    reviewers, review_law = 0, ""
    delete_by: int | None = None
    for one in obligations:
        match one.kind:
            case "min_similarity":
                least = max(least, _similarity(one))
            case "max_results":
                count = _count(one)
                most = count if most is None else min(most, count)
            case "redact":
                redact |= _names(one, "classes of fields")
            case "review" if reviewable:
                if (count := _reviewers(one)) > reviewers:
                    reviewers, review_law = count, one.law
            case "review":
                raise CannotKeep(one, "this answer cannot wait for people to look at it")
            case "delete_by":
                moment = _moment(one, now_ns)
                delete_by = moment if delete_by is None else min(delete_by, moment)
            case "notify" if notifies:
                _names(one, "those who are told")
            case "notify":
                raise CannotKeep(one, "nobody here delivers notices; set BEHOLDEN_NOTICES__URL")
            case _:
                raise CannotKeep(one, "this server does not know it")
    return Duties(least, most, frozenset(redact), reviewers, review_law, delete_by)


def compile_duties(response: Descriptor) -> DutyPlan:
    """The plan for a response type. Raises AnnotationError for a similarity or results outside a list."""
    results = annotated(response, lambda policy: policy.results)
    for path in results:
        if not path[-1].is_repeated:
            raise AnnotationError(f"{path[-1].full_name}: results must be a list")
    return DutyPlan(
        similarities=tuple(
            _split(path) for path in annotated(response, lambda policy: policy.similarity)
        ),
        results=results,
        redactable=tuple(
            (policy_of(path[-1]).redact, path)
            for path in annotated(response, lambda policy: policy.redact)
        ),
        review=compile_review(response),
    )


def keep(duties: Duties, plan: DutyPlan, response: Message) -> dict[str, int]:
    """Changes the response in place; answers how many items or fields each kind took out of it."""
    taken = {
        "min_similarity": _drop(duties.min_similarity, plan, response),
        "max_results": _cut(duties.max_results, plan, response),
        "redact": _clear(duties.redact, plan, response),
    }
    return {kind: count for kind, count in taken.items() if count}


def _drop(least: float, plan: DutyPlan, response: Message) -> int:
    if math.isinf(least):
        return 0
    # As the response has it: a similarity of 0.9 is no longer 0.9 once it is a 32-bit float.
    single = struct.unpack("f", struct.pack("f", least))[0]
    dropped = 0
    for to_list, to_similarity in plan.similarities:
        for holder in holders(response, to_list):
            items: Any = getattr(holder, to_list[-1].name)
            for place in range(len(items) - 1, -1, -1):
                if not _reaches(items[place], to_similarity, single):
                    del items[place]
                    dropped += 1
    return dropped


def _reaches(item: Message, path: Path, least: float) -> bool:
    # NaN reaches nothing, and neither does what has no similarity at all.
    found = [getattr(holder, path[-1].name) for holder in holders(item, path)]
    return bool(found) and all(similarity >= least for similarity in found)


def _cut(most: int | None, plan: DutyPlan, response: Message) -> int:
    if most is None:
        return 0
    cut = 0
    for path in plan.results:
        for holder in holders(response, path):
            items: Any = getattr(holder, path[-1].name)
            cut += max(0, len(items) - most)
            del items[most:]
    return cut


def _clear(classes: frozenset[str], plan: DutyPlan, response: Message) -> int:
    cleared = 0
    for name, path in plan.redactable if classes else ():
        for holder in holders(response, path) if name in classes else ():
            cleared += is_set(holder, path[-1])
            holder.ClearField(path[-1].name)
    return cleared


def _split(path: Path) -> tuple[Path, Path]:
    lists = [place for place, above in enumerate(path[:-1]) if above.is_repeated]
    if not lists or path[-1].is_repeated or path[-1].type != FieldDescriptor.TYPE_FLOAT:
        raise AnnotationError(
            f"{path[-1].full_name}: a similarity must be a float in a list's item"
        )
    return path[: lists[-1] + 1], path[lists[-1] + 1 :]


def _similarity(one: Obligation) -> float:
    if (
        isinstance(one.value, int | float)
        and not isinstance(one.value, bool)
        and 0 <= one.value <= 1
    ):
        return float(one.value)
    raise CannotKeep(one, "its value must be a number from 0 to 1")


def _count(one: Obligation) -> int:
    value = one.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise CannotKeep(one, "its value must be a whole number, 0 or more")


def _reviewers(one: Obligation) -> int:
    if count := _count(one):
        return count
    raise CannotKeep(one, "its value must be how many people review, 1 or more")


def _moment(one: Obligation, now_ns: int) -> int:
    """Whole hours from now, or an instant."""
    if isinstance(one.value, str) and _INSTANT.fullmatch(one.value):
        with suppress(ValueError):
            return int(datetime.fromisoformat(one.value).timestamp()) * 10**9
    elif not isinstance(one.value, str) and (hours := _count(one)):
        return now_ns + hours * 3600 * 10**9
    raise CannotKeep(
        one, "its value must be hours, 1 or more, or an instant such as 2026-11-22T00:00:00Z"
    )


def _names(one: Obligation, of: str) -> set[str]:
    named: Json = [one.value] if isinstance(one.value, str) else one.value
    if isinstance(named, list | tuple) and named and all(isinstance(name, str) for name in named):
        return {str(name) for name in named}
    raise CannotKeep(one, f"its value must be the names of {of}")
