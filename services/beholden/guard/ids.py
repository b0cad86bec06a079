"""Decision identifiers: UUIDv7, so that they sort by time."""

from __future__ import annotations

import os
import uuid


def decision_id(time_ns: int) -> str:
    """A UUIDv7 (RFC 9562, 5.7) for Unix time `time_ns`: 48 bits of milliseconds, 74 random ones."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (time_ns // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (random >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    return str(uuid.UUID(int=value))
