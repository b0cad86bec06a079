"""What a chunk left is read as it was written, and what another version wrote is refused."""

from collections import deque
from dataclasses import dataclass, field

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


@pytest.mark.parametrize(
    "written",
    [
        b'{"class": "Kept", "fields": {"number": 7, "speed": 2}}',
        b'{"class": "Kept", "fields": {}}',
        b'{"class": "Gone", "fields": {}}',
        b'{"class": "Kept", "fie',
    ],
)
def test_what_another_version_wrote_is_refused(written: bytes) -> None:
    with pytest.raises(FailedPrecondition, match="another version"):
        Codec([Kept]).load(written)
