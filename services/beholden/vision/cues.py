"""Technical cues in a frame at a glance: black, colour bars, and text rolling over a dark ground."""

from __future__ import annotations

from enum import Enum

import numpy as np

from beholden.core.video import Glance
from beholden.vision.glances import luma


class Cue(Enum):
    """What a stretch of frames is for."""

    BLACK_FRAMES = "BLACK_FRAMES"
    COLOR_BARS = "COLOR_BARS"
    END_CREDITS = "END_CREDITS"


_BLACK = 51  # a fifth of the range, and 99 % of the frame under it: as Amazon Rekognition has it
_BLACK_SHARE = 0.99
_BARS = ("110", "011", "010", "101", "100", "001")  # yellow, cyan, green, magenta, red, blue
_BAR_CONTRAST = 60
_EVEN = 14.0
_DARK = 40
_DARK_SHARE = 0.72
_LETTERS = (0.006, 0.28)
_LETTERS_LUMA = 70
_SATURATED = 0.04


def cue(glance: Glance) -> Cue | None:
    """What one frame looks like; credits are only those if they go on and end the video."""
    bright = luma(glance)
    if np.count_nonzero(bright <= _BLACK) >= _BLACK_SHARE * bright.size:
        letters = np.count_nonzero(bright > _LETTERS_LUMA)
        return None if letters > _LETTERS[0] * bright.size else Cue.BLACK_FRAMES
    if _bars(glance):
        return Cue.COLOR_BARS
    return Cue.END_CREDITS if _credits(glance, bright) else None


def _bars(glance: Glance) -> bool:
    """Six saturated bars of equal width, in the order of EBU and SMPTE bars, after a white or grey one."""
    height, width = glance.shape[:2]
    upper = glance[height // 12 : height // 2].astype(np.float32)
    if upper.std(axis=0).mean() > _EVEN:
        return False
    columns = upper.mean(axis=0)
    for count in (7, 8):  # SMPTE bars have seven; EBU bars end with black
        centres = columns[((np.arange(1, 7) + 0.5) * width / count).astype(int)]
        lowest, highest = centres.min(axis=1), centres.max(axis=1)
        if (highest - lowest).min() < _BAR_CONTRAST:
            continue
        on = centres > ((lowest + highest) / 2)[:, None]
        if tuple("".join("01"[one] for one in row.tolist()) for row in on) == _BARS:
            return True
    return False


def _credits(glance: Glance, bright: Glance) -> bool:
    """Little that is bright, and no colours, on a dark ground that reaches the sides."""
    if np.count_nonzero(bright <= _DARK) < _DARK_SHARE * bright.size:
        return False
    letters = np.count_nonzero(bright > _LETTERS_LUMA) / bright.size
    edges = bright[:, [0, 1, -2, -1]]
    spread = glance.max(axis=2).astype(int) - glance.min(axis=2)
    return bool(
        _LETTERS[0] <= letters <= _LETTERS[1]
        and edges.mean() <= _DARK
        and np.count_nonzero(spread > 60) <= _SATURATED * bright.size
    )
