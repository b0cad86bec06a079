"""Numbers, times and other people's words, fit to be shown on a terminal."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from rich.markup import escape


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 face", "1,200 faces"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def score(value: float, decimals: int = 3) -> str:
    """A number in [0, 1], rounded down: only 1 itself reads as 1, and a threshold is seen to be met."""
    return f"{math.floor(value * 10**decimals) / 10**decimals:.{decimals}f}"


def when(time: Timestamp) -> str:
    """A time, UTC to the second; empty where there is none."""
    return at(time.seconds) if time.seconds else ""


def at(seconds: float) -> str:
    """Unix time, UTC to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def clean(text: str) -> str:
    """`text` without what a terminal would obey instead of show."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def safe(text: object) -> str:
    """Other people's words as markup that shows them as they are."""
    return escape(clean(str(text)))
