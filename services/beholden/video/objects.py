"""Follows objects and people, and tells what people do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from beholden.core.jobs import Annotation
from beholden.core.law import Json
from beholden.core.ports import LabelFinder
from beholden.video.features import Feature, Spec
from beholden.video.following import Best, Following, prominence
from beholden.video.intervals import Interval, Intervals, Seen
from beholden.video.sample import Sample
from beholden.vision import activities
from beholden.vision.activities import GATHERING, RULES, SHORTEST_US, Doing
from beholden.vision.crops import crop, jpeg
from beholden.vision.tracks import Sighting, Track

PERSON = "Person"
FEATURES = frozenset((Feature.LABELS, Feature.PEOPLE, Feature.ACTIVITIES))

_LEAST = 0.15  # what is this doubtful keeps a track alive
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
        self, spec: Spec, finder: LabelFinder, state: ObjectsState, *, least: float, aspect: float
    ) -> None:
        self.state = state
        self._finder = finder
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
            found += self._follow(sample, sightings)
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

    def _follow(self, sample: Sample, sightings: Sequence[Sighting]) -> list[Annotation]:
        state = self.state
        matched, told, over = state.following.update(sample.time_us, sightings)
        for track, sighting in matched:
            self._picture(sample, track, sighting)
        found = [
            one
            for time_us, track, sighting in told
            for one in self._moments(time_us, sample.length_us, track, sighting)
        ]
        for track in over:
            found += self._over(track, track.last_us + sample.length_us)
        if self._activities:
            live = {track.id for track in state.following.tracker.live}
            state.doing = {one: state.doing[one] for one in state.doing if one in live}
            people = [pair for pair in matched if pair[0].kind == PERSON]
            for track, sighting in people:
                found += self._does(sample.time_us, track, sighting)
            boxes = [sighting.box for track, sighting in people if track.confirmed]
            crowd = [Seen(GATHERING, 1.0)] if activities.gathers(boxes, self._aspect) else []
            found += self._gathered(state.together.see(sample.time_us, crowd))
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
                detail=self._detail(feature, track.kind),
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

    def _detail(self, feature: Feature, kind: str) -> dict[str, Json]:
        return (
            {"parents": list(self.state.parents.get(kind, ()))} if feature is Feature.LABELS else {}
        )

    def _does(self, time_us: int, track: Track, sighting: Sighting) -> list[Annotation]:
        doing = self.state.doing.get(track.id)
        if doing is None:
            self.state.doing[track.id] = Doing(sighting.box, time_us)
            return []
        name = activities.advance(doing, sighting.box, time_us, self._aspect)
        if name == doing.name:
            return []
        found = self._stops(track.id, time_us)
        doing.name, doing.since_us = name, time_us
        return found

    def _stops(self, track: int, end_us: int) -> list[Annotation]:
        doing = self.state.doing.get(track)
        if doing is None or not doing.name or end_us - doing.since_us < SHORTEST_US[doing.name]:
            return []
        return [_activity(doing.name, doing.since_us, end_us, track)]

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
