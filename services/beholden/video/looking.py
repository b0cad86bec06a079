"""Chooses which frames are looked at, and has everyone look who was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from fractions import Fraction

from beholden.core.jobs import Annotation
from beholden.core.video import SECOND, Frame
from beholden.video.actions import Actions, clip_seconds
from beholden.video.faces import FEATURES as FACE_FEATURES
from beholden.video.faces import Faces
from beholden.video.features import Feature, Spec
from beholden.video.objects import FEATURES as OBJECT_FEATURES
from beholden.video.objects import Objects
from beholden.video.sample import Eyes, Sample
from beholden.video.scenes import FEATURES as SCENE_FEATURES
from beholden.video.scenes import Scenes
from beholden.video.settings import VideoSettings
from beholden.video.state import State
from beholden.vision.sampling import Pace, Sampler
from beholden.vision.segments import Segment

_LEAST = 0.55


class Looking:
    """What `spec` asks of the frames of one video, in their order.

    `aspect` is their width over their height, `rate` how many are shown in a second. While they come
    `live`, what was seen once is looked at again soon, and faces are searched by who watches them.
    """

    def __init__(
        self,
        spec: Spec,
        tenant: str,
        eyes: Eyes,
        state: State,
        *,
        aspect: float,
        rate: Fraction,
        settings: VideoSettings,
        live: bool = False,
    ) -> None:
        self._state = state
        self._settings = settings
        self._live = live
        self.frame_us = round(SECOND / max(Fraction(1), rate))
        least = _LEAST if spec.min_confidence is None else spec.min_confidence
        wanted = set(spec.features)
        self._objects = (
            Objects(
                spec,
                eyes.labels,
                eyes.bodies,
                state.objects,
                least=least,
                aspect=aspect,
                experimental=settings.experimental_activities,
            )
            if wanted & OBJECT_FEATURES
            else None
        )
        self._faces = (
            Faces(spec, tenant, eyes.faces, eyes.matcher, state.faces, searched=not live)
            if wanted & FACE_FEATURES
            else None
        )
        self._scenes = (
            Scenes(spec, tenant, eyes, state.scenes, least=least)
            if wanted & SCENE_FEATURES
            else None
        )
        model = eyes.actions.model if Feature.ACTIVITIES in wanted else None
        self._actions = None
        if model is not None:
            self._actions = Actions(eyes.actions, model, state.actions, least=least)
            step = clip_seconds(model) / model.inputs[0].shape[1]
            state.steps = state.steps or Sampler(Pace(step, step, step))
        self._closely = bool(wanted - {Feature.SEGMENTS, Feature.TEXT})
        self._slowly = bool(wanted & {Feature.LABELS, Feature.TEXT})

    def choose(self, frame: Frame) -> tuple[Sample | None, list[Segment]]:
        """The frame to be looked at, or None where it shows nothing new; and the segments that ended."""
        state = self._state
        glance = frame.glance()
        shot, over = state.segmenter.add(glance, frame.time_us, frame.index)
        state.frames = frame.index + 1
        quick = self._closely and state.quick.chooses(
            glance, frame.time_us, shot=shot, eager=self._live and self._unsure()
        )
        # Not in a frame of its own: decoding and reducing one costs, too.
        slow = (quick or not self._closely) and self._slowly
        slow = slow and state.slow.chooses(glance, frame.time_us, shot=shot)
        step = state.steps is not None and state.steps.chooses(glance, frame.time_us, shot=shot)
        close = slow or quick
        if not (close or step):
            return None, over
        state.looked += 1
        pixels = frame.pixels(self._settings.side)
        scale = max(pixels.shape[:2]) / max(frame.size)
        sample = Sample(
            frame.time_us,
            self.frame_us,
            pixels,
            scale,
            shot=shot,
            scene=slow,
            close=close,
            step=step,
        )
        return sample, over

    async def see(self, samples: Sequence[Sample]) -> list[Annotation]:
        """What is found in these frames, and what is over by then."""
        looking = [one for one in (self._objects, self._faces, self._scenes) if one is not None]
        close = [one for one in samples if one.close]
        asked = [one.see(close) for one in looking if close]
        if self._actions is not None:
            asked.append(self._actions.see(samples))
        return [one for found in await asyncio.gather(*asked) for one in found]

    async def finish(self, end_us: int) -> list[Annotation]:
        """What is told once the video ends at `end_us`."""
        found: list[Annotation] = []
        if self._objects is not None:
            found += self._objects.finish(end_us)
        if self._faces is not None:
            found += await self._faces.finish(end_us)
        if self._scenes is not None:
            found += self._scenes.finish(end_us)
        if self._actions is not None:
            found += self._actions.finish(end_us)
        return found

    def _unsure(self) -> bool:
        """Whether something was seen once, which may be a mistake."""
        return bool(self._state.objects.following.early or self._state.faces.following.early)
