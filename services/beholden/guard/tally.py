"""What came of a call, counted for the ledger: its answer, or all that went through a stream."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from beholden.core.law import Json
from beholden.v1 import image_pb2

_MODEL = image_pb2.ModelVersion.DESCRIPTOR


class Tally:
    """Counts answers as the caller gets them, and what was withheld from them; in a stream messages too."""

    def __init__(self) -> None:
        self.messages = 0
        self.asked = 1
        self._answers = 0
        self._counts: Counter[str] = Counter()
        self._models: dict[str, None] = {}
        self._withheld: Counter[str] = Counter()
        self._pictures = 0
        self._digest = hashlib.sha256()

    def answer(self, answer: Message) -> None:
        """Counts an answer's lists and notes its models."""
        self._answers += 1
        for field in answer.DESCRIPTOR.fields:
            value: Any = getattr(answer, field.name)
            if field.message_type is _MODEL:
                told = value if field.is_repeated else [value] * answer.HasField(field.name)
                self._models |= dict.fromkeys(f"{one.name}@{one.version}" for one in told)
            elif field.is_repeated:
                self._counts[field.name] += len(value)

    def withhold(self, taken: Mapping[str, int]) -> None:
        """Notes how much each kind of obligation took away."""
        self._withheld.update(taken)

    def message(self, media: Iterable[str]) -> None:
        """Counts one of a stream's messages, and its pictures by their SHA-256 (hex)."""
        self.messages += 1
        for one in media:
            self._pictures += 1
            self._digest.update(bytes.fromhex(one))

    def answered(self) -> dict[str, Json]:
        """What the caller was answered with."""
        return {
            "counts": dict(self._counts),
            "models": list(self._models),
            "withheld": dict(self._withheld),
        }

    def streamed(self) -> dict[str, Json]:
        """What went through a stream; of its pictures the SHA-256 over their SHA-256s, in order."""
        return {
            "messages": self.messages,
            "answers": self._answers,
            "asked": self.asked,
            "pictures": {"count": self._pictures, "sha256": self._digest.hexdigest()},
        }
