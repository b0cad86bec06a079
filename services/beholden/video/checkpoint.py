"""What a chunk leaves to the next, as bytes: plain values of classes that are listed here, no code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from beholden.core.errors import FailedPrecondition


class Codec:
    """Writes and reads dataclasses and enums among `classes`, with numbers, text, lists, bytes, arrays."""

    def __init__(self, classes: Iterable[type]) -> None:
        self._classes = {one.__name__: one for one in classes}
        shapes = repr([(name, _shape(one)) for name, one in sorted(self._classes.items())])
        self._shapes = hashlib.sha256(shapes.encode()).hexdigest()

    def dump(self, value: object) -> bytes:
        """Raises TypeError for a class that is not listed."""
        return json.dumps({"shapes": self._shapes, "value": self._plain(value)}).encode()

    def load(self, content: bytes) -> Any:
        """What `dump` was given; tuples come back as tuples.

        Raises FailedPrecondition for what another version wrote, whose classes were others.
        """
        try:
            plain = json.loads(content)
            if plain["shapes"] != self._shapes:
                raise ValueError("of other shapes")
            return self._value(plain["value"])
        except (KeyError, TypeError, ValueError) as error:
            raise FailedPrecondition(
                "the analysis was begun by another version of Beholden",
                remedy="ask for it again, with another request_id",
            ) from error

    def _plain(self, value: object) -> Any:  # noqa: PLR0911
        if value is None or isinstance(value, bool | int | float) or type(value) is str:
            return value
        if isinstance(value, Enum):
            return {"enum": self._listed(value), "value": value.value}
        if isinstance(value, bytes):
            return {"bytes": base64.b64encode(value).decode()}
        if isinstance(value, np.ndarray):
            return {
                "array": base64.b64encode(value.tobytes()).decode(),
                "shape": value.shape,
                "dtype": value.dtype.str,
            }
        if isinstance(value, list | tuple | deque):
            plain = [self._plain(item) for item in value]
            if isinstance(value, deque):
                return {"deque": plain, "most": value.maxlen}
            return plain if isinstance(value, list) else {"tuple": plain}
        if isinstance(value, dict):
            return {"dict": [[self._plain(key), self._plain(item)] for key, item in value.items()]}
        if is_dataclass(value):
            return {
                "class": self._listed(value),
                "fields": {
                    one.name: self._plain(getattr(value, one.name)) for one in fields(value)
                },
            }
        raise TypeError(f"{type(value).__name__} cannot be kept")

    def _listed(self, value: object) -> str:
        name = type(value).__name__
        if self._classes.get(name) is not type(value):
            raise TypeError(f"{name} is not listed")
        return name

    def _value(self, plain: Any) -> Any:  # noqa: PLR0911
        if isinstance(plain, list):
            return [self._value(item) for item in plain]
        if not isinstance(plain, dict):
            return plain
        match plain:
            case {"enum": name, "value": value}:
                return self._classes[name](value)
            case {"bytes": text}:
                return base64.b64decode(text)
            case {"array": text, "shape": shape, "dtype": dtype}:
                return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
            case {"deque": items, "most": most}:
                return deque(map(self._value, items), maxlen=most)
            case {"tuple": items}:
                return tuple(map(self._value, items))
            case {"dict": pairs}:
                return {self._value(key): self._value(item) for key, item in pairs}
        values = {name: self._value(item) for name, item in plain["fields"].items()}
        return self._classes[plain["class"]](**values)


def _shape(one: type) -> object:
    """What a class is made of, so that a field of another type is another version."""
    if is_dataclass(one):
        return [(each.name, str(each.type)) for each in fields(one)]
    return [str(each) for each in one] if issubclass(one, Enum) else []
