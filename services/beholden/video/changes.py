"""From what single frames show to what changes: appeared, still there, gone, recognised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from beholden.core.jobs import Annotation
from beholden.core.video import SECOND
from beholden.video.features import Feature


class Change(Enum):
    """What happened; the names are the proto enum's, less its prefix."""

    APPEARED = "APPEARED"
    PRESENT = "PRESENT"
    GONE = "GONE"
    RECOGNISED = "RECOGNISED"


@dataclass(frozen=True, slots=True)
class Event:
    """A change, and what it is about: of what is gone the whole stretch, else one frame."""

    change: Change
    about: Annotation


class Changes:
    """Remembers what is there; that it still is, is told once a second."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, int], int] = {}

    def of(self, found: Sequence[Annotation]) -> list[Event]:
        """The events in what was found, in its order."""
        return [event for one in found if (event := self._event(one)) is not None]

    def _event(self, one: Annotation) -> Event | None:
        if one.feature == Feature.FACE_SEARCH:
            return Event(Change.RECOGNISED, one)
        key = (one.feature, one.name, one.track)
        if one.span:
            self._told.pop(key, None)
            return Event(Change.GONE, one)
        told = self._told.get(key)
        if told is not None and one.start_us - told < SECOND:
            return None
        self._told[key] = one.start_us
        return Event(Change.APPEARED if told is None else Change.PRESENT, one)
