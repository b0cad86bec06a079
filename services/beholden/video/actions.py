"""What happens in a video by a clip classifier of the operator's, a few seconds at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from beholden.core.faces import Pixels
from beholden.core.jobs import Annotation
from beholden.core.models import ModelSpec
from beholden.core.ports import ActionFinder
from beholden.video.features import Feature
from beholden.video.intervals import Interval, Intervals, Seen
from beholden.video.sample import Sample
from beholden.vision.scaling import resized

_SECONDS = 2.0


@dataclass(slots=True)
class ActionsState:
    """The frames of the clip that is being gathered, when it began, and what is seen now."""

    frames: list[Pixels] = field(default_factory=list)
    began_us: int = 0
    seen: Intervals = field(default_factory=Intervals)


class Actions:
    """The feature ACTIVITIES, as far as a clip classifier tells it."""

    def __init__(
        self, finder: ActionFinder, model: ModelSpec, state: ActionsState, *, least: float
    ) -> None:
        self.state = state
        self._finder = finder
        self._least = least
        _, self._count, self._height, self._width, _ = model.inputs[0].shape
        self._rule = (
            f"{model.id} is at least {least:g} sure over {self._count} frames in "
            f"{clip_seconds(model):g} s"
        )

    async def see(self, samples: Sequence[Sample]) -> list[Annotation]:
        """What is over by these frames, of which those marked as a step are gathered."""
        state, found = self.state, list[Annotation]()
        for sample in samples:
            if sample.shot:
                found += self.finish(sample.time_us)
            if not sample.step:
                continue
            if not state.frames:
                state.began_us = sample.time_us
            state.frames.append(resized(sample.pixels, self._width, self._height))
            if len(state.frames) == self._count:
                told = await self._finder.actions(state.frames)
                state.frames = []
                seen = [Seen(name, sure) for name, sure in told.items() if sure >= self._least]
                found += map(self._span, state.seen.see(state.began_us, seen))
        return found

    def finish(self, time_us: int) -> list[Annotation]:
        """What is told once a shot or the video ends at `time_us`; a clip not yet whole is left out."""
        self.state.frames = []
        return [self._span(one) for one in self.state.seen.finish(time_us)]

    def _span(self, one: Interval) -> Annotation:
        return Annotation(
            feature=Feature.ACTIVITIES,
            name=one.name,
            start_us=one.start_us,
            end_us=one.end_us,
            confidence=one.confidence,
            span=True,
            detail={"rule": self._rule, "best_us": one.best_us},
        )


def clip_seconds(model: ModelSpec) -> float:
    """How much video the frames of one clip span."""
    return model.parameters.get("seconds", _SECONDS)
