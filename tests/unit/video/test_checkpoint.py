"""What a chunk left is read as it was written, and what another version wrote is refused."""

from collections import deque
from dataclasses import dataclass, field, make_dataclass
from typing import Any

import numpy as np
import pytest

from beholden.core.errors import FailedPrecondition
from beholden.video.checkpoint import Codec


@dataclass
class Kept:
    number: int
    picture: bytes = b"\xff\xd8"
    seen: deque[tuple[float, str]] = field(default_factory=lambda: deque([(0.5, "a")], maxlen=3))


def test_what_is_read_is_what_was_written() -> None:
    codec = Codec([Kept])
    template = np.arange(6, dtype=np.float32).reshape(2, 3)
    one, read = codec.load(codec.dump([Kept(7), template]))
    assert one == Kept(7)
    assert one.seen.maxlen == 3
    np.testing.assert_array_equal(read, template)
    assert read.dtype == np.float32


def of_another_version(**members: Any) -> bytes:
    """What it wrote, its class of the same name having other members."""
    kept = make_dataclass("Kept", list(members.items()))
    return Codec([kept]).dump(kept(*(each(7) for each in members.values())))


@pytest.mark.parametrize(
    "written",
    [
        of_another_version(number=int, speed=int),
        of_another_version(number=float),
        b'{"class": "Kept", "fields": {"number": 7}}',
        b'{"class": "Kept", "fie',
    ],
)
def test_what_another_version_wrote_is_refused(written: bytes) -> None:
    with pytest.raises(FailedPrecondition, match="another version"):
        Codec([Kept]).load(written)
