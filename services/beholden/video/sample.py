"""Frames that are looked at, and those who look."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.faces import Pixels
from beholden.core.ports import FaceFinder, FaceMatcher, FrameReader, LabelFinder, Moderator


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame that is looked at.

    `shot` says that it begins a shot; `scene` that what changes slowly (text, what the whole frame
    shows) is looked at too. `length_us` is how long a frame is shown; `scale` what the pixels were
    reduced by.
    """

    time_us: int
    length_us: int
    shot: bool
    scene: bool
    pixels: Pixels
    scale: float


@dataclass(frozen=True, slots=True)
class Eyes:
    """The services that look, by the port of each."""

    labels: LabelFinder
    faces: FaceFinder
    matcher: FaceMatcher
    text: FrameReader
    moderator: Moderator
