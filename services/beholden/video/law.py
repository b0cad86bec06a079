"""What the law says of each feature: at the beginning, while the work lasts, and of what is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from beholden.core.caller import Caller
from beholden.core.errors import Denied
from beholden.core.jobs import Annotation
from beholden.core.law import Decision, Reason
from beholden.core.ports import Permissions
from beholden.video.features import ACTIONS, Feature, Spec

T = TypeVar("T")

_ALL = {
    Feature.LABELS: "labels",
    Feature.FACES: "faces",
    Feature.TEXT: "texts",
    Feature.REDACTION: "redactions",
}
"""The class of response fields that is all that a feature tells, as the pictures' RPCs have it."""


class Leave:
    """The law's leave for one feature of one caller. `decision` is the newest."""

    decision: Decision

    def __init__(self, permissions: Permissions, caller: Caller, feature: Feature) -> None:
        self.feature = feature
        asking = replace(caller, facts={**caller.facts, "action": ACTIONS[feature]})
        self._permission = permissions.of(asking, self._told, cannot=self._cannot)

    @property
    def delete_by_ns(self) -> int | None:
        """When that decision wants gone what is kept of the feature, in Unix nanoseconds."""
        return self._permission.delete_by_ns

    async def ask(self) -> None:
        """Raises Denied, Unavailable."""
        await self._permission.again()

    async def hold(self, work: Callable[[], Awaitable[T]]) -> T:
        """See `core.ports.Permission.hold`. A refusal names the feature."""
        try:
            return await self._permission.hold(work)
        except Denied as denied:
            if denied.decision is not self.decision:
                raise  # another feature's, whose leave is held in this one
            raise refusal({self.feature: denied}) from None

    def _told(self, decision: Decision) -> None:
        self.decision = decision

    def _cannot(self, decision: Decision) -> Reason | None:
        # Nothing would be left where all is withheld, and silence would be taken for an answer.
        if _ALL.get(self.feature) in _withheld(decision):
            return Reason("ALL_WITHHELD", "redaction", "The law withholds all that it would tell.")
        return None


async def permitted(
    permissions: Permissions, caller: Caller, features: Sequence[Feature]
) -> list[Leave]:
    """The leave for each feature. Raises Denied where the law refuses one, and names all it refuses."""
    allowed, refused = await sorted_out(permissions, caller, features)
    if refused:
        raise refusal(refused)
    return allowed


async def sorted_out(
    permissions: Permissions, caller: Caller, features: Sequence[Feature]
) -> tuple[list[Leave], dict[Feature, Denied]]:
    """What the law allows now, and what not and why."""
    allowed: list[Leave] = []
    refused: dict[Feature, Denied] = {}
    for feature in features:
        leave = Leave(permissions, caller, feature)
        try:
            await leave.ask()
            allowed.append(leave)
        except Denied as denied:
            refused[feature] = denied
    return allowed, refused


def deletion(leaves: Sequence[Leave], *more: int | None) -> int:
    """The soonest time by which what is found has to be gone, in Unix nanoseconds; 0 for none."""
    return min(filter(None, (*(one.delete_by_ns for one in leaves), *more)), default=0)


async def held(leaves: Sequence[Leave], work: Callable[[], Awaitable[None]]) -> None:
    """Does the work while the law allows every feature; the first that is refused ends it."""
    whole = work
    for leave in leaves:
        whole = partial(leave.hold, whole)
    await whole()


def restricted(spec: Spec, decisions: Mapping[Feature, Decision]) -> Spec:
    """The spec with what the law asks of its searches; what needs review was refused already."""
    search = decisions.get(Feature.FACE_SEARCH)
    if search is None:
        return spec
    least = max([spec.min_similarity or 0.0, *_obliged(search, "min_similarity")])
    most = [one for one in (spec.max_results, *_obliged(search, "max_results")) if one]
    return replace(
        spec,
        min_similarity=least or spec.min_similarity,
        max_results=int(min(most)) if most else 0,
    )


def lessened(one: Annotation, decision: Decision) -> Annotation:
    """The annotation with no more than its feature's decision allows."""
    withheld = _withheld(decision)
    if "video.picture" in withheld:
        one = replace(one, picture=b"")
    if "face.details" in withheld:
        one = replace(one, detail={key: one.detail[key] for key in one.detail if key != "face"})
    candidates = one.detail.get("candidates")
    if not isinstance(candidates, list):
        return one
    least = max([0.0, *_obliged(decision, "min_similarity")])
    most = min([len(candidates), *map(int, _obliged(decision, "max_results"))])
    near = [match for match in candidates if match["similarity"] >= least]
    return replace(one, detail={**one.detail, "candidates": near[:most]})


def refusal(refused: Mapping[Feature, Denied]) -> Denied:
    """One refusal of all, each reason with the features that it refuses."""
    features: dict[Reason, list[Feature]] = {}
    for feature, denied in refused.items():
        for reason in denied.decision.reasons:
            features.setdefault(reason, []).append(feature)
    first = next(iter(refused.values())).decision
    reasons = (
        replace(reason, message=f"{', '.join(those)}: {reason.message or reason.code}")
        for reason, those in features.items()
    )
    return Denied(replace(first, reasons=tuple(reasons)))


def _withheld(decision: Decision) -> set[str]:
    """The classes of response fields that are not to be told."""
    found: set[str] = set()
    for one in decision.obligations:
        if one.kind == "redact":
            found |= {one.value} if isinstance(one.value, str) else set(one.value)  # type: ignore[arg-type]
    return found


def _obliged(decision: Decision, kind: str) -> list[float]:
    """The values of the decision's obligations of a kind."""
    return [
        float(one.value)
        for one in decision.obligations
        if one.kind == kind and isinstance(one.value, int | float)
    ]
