"""Frames that come as pictures of their own."""

from __future__ import annotations

from functools import cached_property

from beholden.core.faces import Pixels
from beholden.core.video import Glance, VideoLimits
from beholden.vision import image
from beholden.vision.scaling import fit_within, resized

_GLANCE = 96
_MOST_PIXELS = VideoLimits().max_pixels


class StillFrame:
    """See `core.video.Frame`; a JPEG or PNG, decoded when it is first looked at, at most `side` wide.

    What asks for its pixels raises InvalidArgument where it cannot be read.
    """

    def __init__(self, content: bytes, time_us: int, index: int, *, side: int, field: str) -> None:
        self.index = index
        self.time_us = time_us
        self._content = content
        self._side = side
        self._field = field

    @property
    def size(self) -> tuple[int, int]:
        """See `core.video.Frame.size`."""
        return self._picture.full_width, self._picture.full_height

    def glance(self) -> Glance:
        """See `core.video.Frame.glance`."""
        return self.pixels(_GLANCE)

    def pixels(self, max_side: int) -> Pixels:
        """See `core.video.Frame.pixels`."""
        pixels = self._picture.pixels
        return resized(pixels, *fit_within(pixels.shape[1], pixels.shape[0], max_side))

    @cached_property
    def _picture(self) -> image.Picture:
        return image.decode(
            self._content, field=self._field, max_pixels=_MOST_PIXELS, max_side=self._side
        )
