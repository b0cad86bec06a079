"""Follows objects and people, and tells what people do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from beholden.core.bodies import Body
from beholden.core.jobs import Annotation
from beholden.core.law import Json
from beholden.core.ports import BodyFinder, LabelFinder
from beholden.video.features import Feature, Spec
from beholden.video.following import Best, Following, prominence
from beholden.video.intervals import Interval, Intervals, Seen
from beholden.video.sample import Sample
from beholden.vision import activities
from beholden.vision.activities import GATHERING, RULES, SHORTEST_US, Doing
from beholden.vision.crops import crop, jpeg
from beholden.vision.tracks import Sighting, Track, distinct

PERSON = "Person"
FEATURES = frozenset((Feature.LABELS, Feature.PEOPLE, Feature.ACTIVITIES))

_LEAST = 0.15  # what is this doubtful keeps a track alive
_CLEAR = 0.5  # whose points are looked for
_MOST_BODIES = 20  # in one frame, the largest first: bounds what a crowd costs
_MARGIN = 0.1
_PICTURE = 256


@dataclass(slots=True)
class ObjectsState:
    """What is followed, what each person does, and the labels above each kind."""

    following: Following[None] = field(default_factory=Following)
    doing: dict[int, Doing] = field(default_factory=dict)
    together: Intervals = field(default_factory=Intervals)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Objects:
    """The features LABELS (its objects), PEOPLE and ACTIVITIES."""

    def __init__(
        self,
        spec: Spec,
        finder: LabelFinder,
        bodies: BodyFinder,
        state: ObjectsState,
        *,
        least: float,
        aspect: float,
        experimental: bool,
    ) -> None:
        self.state = state
        self._finder = finder
        self._bodies = bodies
        self._experimental = experimental
        self._aspect = aspect
        self._labels = Feature.LABELS in spec.features
        self._people = Feature.PEOPLE in spec.features
        self._activities = Feature.ACTIVITIES in spec.features
        self._least = least

    async def see(self, samples: Sequence[Sample]) -> list[Annotation]:
        """What is found in these frames, and of tracks that are over."""
        told = await self._finder.objects([one.pixels for one in samples], least=_LEAST)
        found: list[Annotation] = []
        for sample, labels in zip(samples, told, strict=True):
            if sample.shot:
                found += self.finish(sample.time_us)
            sightings = []
            for label in labels:
                if label.instances and (self._labels or label.kind.name == PERSON):
                    self.state.parents[label.kind.name] = label.kind.parents
                sightings += [
                    Sighting(label.kind.name, instance.box, instance.confidence)
                    for instance in label.instances
                    if self._labels or label.kind.name == PERSON
                ]
            found += self._follow(sample, await self._with_bodies(sample, sightings))
        return found

    def finish(self, time_us: int) -> list[Annotation]:
        """What is told once a shot or the video ends at `time_us`."""
        found = [
            one
            for track, end_us in self.state.following.finish(time_us)
            for one in self._over(track, end_us)
        ]
        found += self._gathered(self.state.together.finish(time_us))
        self.state.doing.clear()
        self.state.following.bests.clear()
        return found

    async def _with_bodies(
        self, sample: Sample, sightings: Sequence[Sighting]
    ) -> Sequence[Sighting]:
        """The sightings, of which those of the largest people have their bodies."""
        if not (self._people or self._activities):
            return sightings
        sightings = distinct(sightings)
        people = [one for one in sightings if one.kind == PERSON and one.confidence >= _CLEAR]
        boxes = sorted((one.box for one in people), key=lambda box: -box.area)[:_MOST_BODIES]
        bodies = await self._bodies.bodies(sample.pixels, boxes)
        by_box = dict(zip(boxes, bodies, strict=False))
        return [replace(one, body=by_box.get(one.box)) for one in sightings]

    def _follow(self, sample: Sample, sightings: Sequence[Sighting]) -> list[Annotation]:
        state = self.state
        matched, told, over = state.following.update(sample.time_us, sample.length_us, sightings)
        for track, sighting in matched:
            self._picture(sample, track, sighting)
        found = [
            one
            for time_us, track, sighting in told
            for one in self._moments(time_us, sample.length_us, track, sighting)
        ]
        for track in over:
            found += self._over(track, track.gone_us)
        if self._activities:
            live = {track.id for track in state.following.tracker.live}
            state.doing = {one: state.doing[one] for one in state.doing if one in live}
            people = [pair for pair in matched if pair[0].kind == PERSON]
            for track, sighting in people:
                found += self._does(sample.time_us, track, sighting)
            boxes = [sighting.box for track, sighting in people if track.confirmed]
            crowd = [Seen(GATHERING, 1.0)] if activities.gathers(boxes, self._aspect) else []
            found += self._gathered(state.together.see(sample.time_us, crowd, sample.length_us))
        return found

    def _picture(self, sample: Sample, track: Track, sighting: Sighting) -> None:
        score = prominence(sighting)
        if not self.state.following.improves(track, score):
            return
        picture = b""
        if self._people and track.kind == PERSON:
            picture = jpeg(crop(sample.pixels, sighting.box, margin=_MARGIN, most=_PICTURE)[0])
        self.state.following.bests[track.id] = Best(
            score, sample.time_us, sighting.box, picture, None
        )

    def _moments(
        self, time_us: int, length_us: int, track: Track, sighting: Sighting
    ) -> list[Annotation]:
        return [
            Annotation(
                feature=feature,
                name=track.kind,
                start_us=time_us,
                end_us=time_us + length_us,
                confidence=sighting.confidence,
                track=track.id,
                box=sighting.box,
                detail=self._detail(feature, track.kind, sighting.body),
            )
            for feature in self._features(track)
            if sighting.confidence >= self._least
        ]

    def _over(self, track: Track, end_us: int) -> list[Annotation]:
        best = self.state.following.bests.pop(track.id)
        found = self._stops(track.id, end_us)
        self.state.doing.pop(track.id, None)
        if track.confidence < self._least:
            return found
        return found + [
            Annotation(
                feature=feature,
                name=track.kind,
                start_us=track.first_us,
                end_us=end_us,
                confidence=track.confidence,
                span=True,
                track=track.id,
                box=best.box,
                detail={**self._detail(feature, track.kind), "best_us": best.time_us},
                picture=best.picture if feature is Feature.PEOPLE else b"",
            )
            for feature in self._features(track)
        ]

    def _features(self, track: Track) -> list[Feature]:
        person = self._people and track.kind == PERSON
        return [Feature.LABELS] * self._labels + [Feature.PEOPLE] * person

    def _detail(self, feature: Feature, kind: str, body: Body | None = None) -> dict[str, Json]:
        if feature is Feature.LABELS:
            return {"parents": list(self.state.parents.get(kind, ()))}
        return {} if body is None else {"body": np.round(body.astype(float), 4).tolist()}

    def _does(self, time_us: int, track: Track, sighting: Sighting) -> list[Annotation]:
        doing = self.state.doing.setdefault(track.id, Doing([(time_us, sighting.box)]))
        now = activities.advance(
            doing,
            sighting.box,
            sighting.body,
            time_us,
            self._aspect,
            experimental=self._experimental,
        )
        over = [name for name in doing.since if name not in now]
        # What ends since something else began ends where that begins.
        end_us = min([time_us, *(us for name, us in now.items() if name not in doing.since)])
        found = self._stops(track.id, end_us, over)
        doing.since = now
        return found

    def _stops(
        self, track: int, end_us: int, names: Sequence[str] | None = None
    ) -> list[Annotation]:
        """Those of `names` (all where None) that went on for long enough are told."""
        doing = self.state.doing.get(track)
        return [
            _activity(name, since_us, end_us, track)
            for name, since_us in (doing.since if doing else {}).items()
            if (names is None or name in names) and end_us - since_us >= SHORTEST_US[name]
        ]

    def _gathered(self, over: Sequence[Interval]) -> list[Annotation]:
        return [
            _activity(one.name, one.start_us, one.end_us, 0)
            for one in over
            if one.end_us - one.start_us >= SHORTEST_US[GATHERING]
        ]


def _activity(name: str, start_us: int, end_us: int, track: int) -> Annotation:
    return Annotation(
        feature=Feature.ACTIVITIES,
        name=name,
        start_us=start_us,
        end_us=end_us,
        confidence=1.0,
        span=True,
        track=track,
        detail={"rule": RULES[name]},
    )
