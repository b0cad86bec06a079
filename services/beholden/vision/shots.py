"""Where one shot ends and the next begins, frame by frame and without looking ahead."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from beholden.core.video import Glance
from beholden.vision.glances import change

_LEAST_CHANGE = 14.0
_RATIO = 3.5
_WINDOW = 8
_SHORTEST_US = 300_000


@dataclass(slots=True)
class ShotDetector:
    """Says of each frame whether it begins a shot.

    A cut stands out from what changed in the frames before it: the change is at least 14 of 255 and
    3.5 times the mean of the last eight, the idea of PySceneDetect's adaptive detector. Fades are
    seen as cuts once they change fast enough, or not at all.
    """

    before: Glance | None = None
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    began_us: int = 0

    def begins(self, glance: Glance, time_us: int) -> bool:
        """True for the first frame of all and of each shot. Frames come in order."""
        before, self.before = self.before, glance
        if before is None:
            self.began_us = time_us
            return True
        score = change(before, glance)
        usual = sum(self.recent) / len(self.recent) if self.recent else 0.0
        if score >= max(_LEAST_CHANGE, _RATIO * usual) and time_us - self.began_us >= _SHORTEST_US:
            self.began_us = time_us
            self.recent.clear()
            return True
        self.recent.append(score)
        return False
