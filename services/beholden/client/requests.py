"""Requests from plain Python: pictures and videos as bytes or files, messages as mappings."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)

Content = bytes | str | os.PathLike[str]
"""A picture or video: the file's bytes, or its path."""


@dataclass(frozen=True, slots=True)
class Rpc(Generic[Request, Response]):
    """A method: its path, and what it takes and gives."""

    path: str
    request: type[Request]
    response: type[Response]

    @property
    def codec(self) -> dict[str, Any]:
        """What a channel wants to know besides."""
        return {
            "request_serializer": self.request.SerializeToString,
            "response_deserializer": self.response.FromString,
        }


def filled(kind: type[Request], fields: Mapping[str, Any]) -> Request:
    """A message of `kind` with those `fields` that are not None.

    A `request_id` that is not given is made up, so that a call which is tried again counts once.

    Raises:
        OSError: a file cannot be read.
        TypeError, ValueError: a field does not take what it is given.
    """
    given = _plain(kind.DESCRIPTOR, fields)
    if "request_id" in kind.DESCRIPTOR.fields_by_name:
        given.setdefault("request_id", str(uuid.uuid4()))
    return kind(**given)


def _plain(descriptor: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    known = descriptor.fields_by_name
    return {
        name: _value(known[name], value) if name in known else value
        for name, value in fields.items()
        if value is not None
    }


def _value(field: Any, value: Any) -> Any:
    kind = field.message_type
    if kind is None or kind.GetOptions().map_entry or kind.file.package == "google.protobuf":
        return value
    return [_one(kind, item) for item in value] if field.is_repeated else _one(kind, value)


def _one(kind: Any, value: Any) -> Any:
    """A message of `kind` as its constructor takes it."""
    if isinstance(value, Mapping):
        return _plain(kind, value)
    if "content" in kind.fields_by_name:
        if isinstance(value, bytes):
            return {"content": value}
        if isinstance(value, str | os.PathLike):
            return {"content": Path(value).read_bytes()}
    return value
