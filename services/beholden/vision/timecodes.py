"""SMPTE ST 12-1 timecodes: frame numbers as hours, minutes, seconds and frames."""

from __future__ import annotations

from fractions import Fraction

_DROPPING = {Fraction(30000, 1001): 2, Fraction(60000, 1001): 4}


def timecode(frame: int, rate: Fraction) -> str:
    """The timecode of frame number `frame`, from 0, at `rate` frames a second.

    At 29.97 and 59.94 it drops the first 2 or 4 numbers of each minute that is no tenth, and has a
    semicolon before the frames; other rates count in their nearest whole number.
    """
    base = max(1, round(rate))
    mark = ":"
    near = next((one for one in _DROPPING if abs(rate - one) < Fraction(1, 500)), None)
    if near is not None:
        mark = ";"
        dropped = _DROPPING[near]
        minute = base * 60 - dropped
        tens, rest = divmod(frame, base * 600 - 9 * dropped)
        past_first = max(0, (rest - base * 60) // minute + 1) if rest >= base * 60 else 0
        frame += dropped * (9 * tens + past_first)
    seconds, frames = divmod(frame, base)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}{mark}{frames:02}"
