"""Searches the faces that are followed while they are there, in a collection as it is by then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from beholden.core.faces import Template
from beholden.core.jobs import Annotation
from beholden.core.ports import FaceMatcher
from beholden.core.video import SECOND
from beholden.video.faces import MAX_RESULTS, Kept, candidate
from beholden.video.features import Feature, Spec
from beholden.video.following import Best, Following
from beholden.vision.crops import jpeg, unpacked
from beholden.vision.tracks import Track

_MUCH_BETTER = 1.5
_AGAIN_US = SECOND // 2


@dataclass(slots=True)
class _Known:
    """A track's template, how good the face was that it is of, and what was found by it."""

    template: Template
    score: float
    searched_us: int
    told: set[str] = field(default_factory=set)
    likeness: float = 0.0


class WatchList:
    """Each face is embedded at its best so far, and anew when it shows itself much better.

    It is searched again twice a second, as cheap as that is: who is enrolled meanwhile is found.
    `spec` says by now where, how many, and how much alike.
    """

    def __init__(self, matcher: FaceMatcher, tenant: str, spec: Callable[[], Spec]) -> None:
        self._matcher = matcher
        self._tenant = tenant
        self._spec = spec
        self._known: dict[int, _Known] = {}

    async def look(self, following: Following[Kept], time_us: int) -> list[Annotation]:
        """Whom the faces seen last are like, where that was not told yet."""
        live = {track.id: track for track in following.tracker.live}
        self._known = {one: self._known[one] for one in self._known if one in live}
        here = [
            (track, best)
            for track in live.values()
            if track.confirmed
            and track.last_us == following.looked_us
            and (best := following.bests.get(track.id)) is not None
        ]
        found = await asyncio.gather(*(self._one(track, best, time_us) for track, best in here))
        return [one for one in found if one is not None]

    async def _one(self, track: Track, best: Best[Kept], time_us: int) -> Annotation | None:
        known = self._known.get(track.id)
        better = known is None or best.score >= _MUCH_BETTER * known.score
        if known is None or better:
            cut = best.detail
            template = await self._matcher.embed(unpacked(cut.picture), cut.cut)
            before = known or _Known(template, best.score, time_us)
            known = _Known(template, best.score, time_us, before.told, before.likeness)
            self._known[track.id] = known
        elif time_us - known.searched_us < _AGAIN_US:
            return None
        known.searched_us = time_us
        spec = self._spec()
        matches = await self._matcher.search(
            known.template,
            tenant=self._tenant,
            collection=spec.collection,
            limit=spec.max_results or MAX_RESULTS,
            least=spec.min_similarity,
        )
        faces = {face.id for face, _ in matches}
        likeness = max((similarity for _, similarity in matches), default=0.0)
        news = faces - known.told or (better and likeness > known.likeness)
        known.told |= faces
        known.likeness = max(known.likeness, likeness)
        if not news:
            return None
        return Annotation(
            feature=Feature.FACE_SEARCH,
            name="Face",
            start_us=time_us,
            end_us=time_us,
            confidence=track.confidence,
            track=track.id,
            box=track.box,
            detail={
                "best_us": best.time_us,
                "candidates": [candidate(*match) for match in matches],
            },
            picture=jpeg(unpacked(best.detail.picture)),
        )
