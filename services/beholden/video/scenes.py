"""What whole frames show for how long: labels without a place, text, unsafe content."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from beholden.core.geometry import iou
from beholden.core.jobs import Annotation
from beholden.core.labels import Label
from beholden.core.law import Json
from beholden.core.text import Line
from beholden.video.features import Feature, Spec
from beholden.video.intervals import Interval, Intervals, Seen
from beholden.video.sample import Eyes, Sample

FEATURES = frozenset((Feature.LABELS, Feature.TEXT, Feature.MODERATION))

_ALIKE = 0.75
_SAME_PLACE = 0.3


@dataclass(slots=True)
class ScenesState:
    """What is seen now, by feature."""

    labels: Intervals = field(default_factory=Intervals)
    text: Intervals = field(default_factory=Intervals)
    unsafe: Intervals = field(default_factory=Intervals)


class Scenes:
    """The features LABELS (of whole frames), TEXT and MODERATION."""

    def __init__(
        self, spec: Spec, tenant: str, eyes: Eyes, state: ScenesState, *, least: float
    ) -> None:
        self.state = state
        self._spec = spec
        self._tenant = tenant
        self._eyes = eyes
        self._least = least

    async def see(self, samples: Sequence[Sample]) -> list[Annotation]:
        """What is found in these frames, and what is over. Unsafe content is sought in all of them."""
        slow = [one for one in samples if one.scene]
        labels, lines, unsafe = await asyncio.gather(
            self._labels(slow), self._lines(slow), self._unsafe(samples)
        )
        found: list[Annotation] = []
        for sample in samples:
            if sample.shot:
                found += self.finish(sample.time_us)
            time_us = sample.time_us
            if time_us in labels:
                seen = [
                    Seen(one.kind.name, one.confidence, None, one.kind.parents)
                    for one in labels[time_us]
                ]
                found += self._told(Feature.LABELS, self.state.labels, sample, seen)
            if time_us in lines:
                seen = [self._line(one) for one in lines[time_us]]
                found += self._told(Feature.TEXT, self.state.text, sample, seen)
            if time_us in unsafe:
                seen = [Seen(name, sure) for name, sure in unsafe[time_us].items()]
                found += self._told(Feature.MODERATION, self.state.unsafe, sample, seen)
        return found

    def finish(self, time_us: int) -> list[Annotation]:
        """What is told once a shot or the video ends at `time_us`."""
        parts = (
            (Feature.LABELS, self.state.labels),
            (Feature.TEXT, self.state.text),
            (Feature.MODERATION, self.state.unsafe),
        )
        return [
            _span(feature, interval)
            for feature, intervals in parts
            for interval in intervals.finish(time_us)
        ]

    async def _labels(self, samples: Sequence[Sample]) -> dict[int, Sequence[Label]]:
        if Feature.LABELS not in self._spec.features or not samples:
            return {}
        told = await self._eyes.labels.scenes([one.pixels for one in samples], least=self._least)
        return {sample.time_us: one for sample, one in zip(samples, told, strict=True)}

    async def _lines(self, samples: Sequence[Sample]) -> dict[int, Sequence[Line]]:
        if Feature.TEXT not in self._spec.features:
            return {}
        least = self._spec.min_confidence
        return {
            one.time_us: await self._eyes.text.read_frame(one.pixels, least=least)
            for one in samples
        }

    async def _unsafe(self, samples: Sequence[Sample]) -> dict[int, dict[str, float]]:
        if Feature.MODERATION not in self._spec.features:
            return {}
        told = await self._eyes.moderator.judge(
            [one.pixels for one in samples], tenant=self._tenant, least=self._spec.min_confidence
        )
        return {sample.time_us: dict(one) for sample, one in zip(samples, told, strict=True)}

    def _line(self, line: Line) -> Seen:
        """A line; one that is read a little differently in the same place is the same."""
        for name, interval in self.state.text.open.items():
            there = interval.place is not None and iou(interval.place, line.box) >= _SAME_PLACE
            if there and SequenceMatcher(None, name, line.text).ratio() >= _ALIKE:
                return Seen(name, line.confidence, line.box)
        return Seen(line.text, line.confidence, line.box)

    def _told(
        self, feature: Feature, intervals: Intervals, sample: Sample, seen: Sequence[Seen]
    ) -> list[Annotation]:
        moments = [
            Annotation(
                feature=feature,
                name=one.name,
                start_us=sample.time_us,
                end_us=sample.time_us + sample.length_us,
                confidence=one.confidence,
                box=one.box,
                detail=_parents(one.parents),
            )
            for one in seen
        ]
        over = intervals.see(sample.time_us, seen, sample.length_us)
        return moments + [_span(feature, interval) for interval in over]


def _span(feature: Feature, interval: Interval) -> Annotation:
    return Annotation(
        feature=feature,
        name=interval.name,
        start_us=interval.start_us,
        end_us=interval.end_us,
        confidence=interval.confidence,
        span=True,
        box=interval.box,
        detail={**_parents(interval.parents), "best_us": interval.best_us},
    )


def _parents(parents: Sequence[str]) -> dict[str, Json]:
    return {"parents": list(parents)} if parents else {}
