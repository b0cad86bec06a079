"""Where a message keeps its annotated fields, found once from the descriptors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from beholden.v1 import policy_pb2

Path = tuple[FieldDescriptor, ...]
"""The fields to go through from a message to one below it, the last being the one meant."""


class AnnotationError(Exception):
    """The protos do not say what the guard must know; the server does not start."""


def policy_of(field: FieldDescriptor) -> policy_pb2.FieldPolicy:
    """The field's place in the law."""
    options: Any = field.GetOptions()
    policy: policy_pb2.FieldPolicy = options.Extensions[policy_pb2.field_policy]
    return policy


def limits_of(field: FieldDescriptor) -> policy_pb2.FieldLimits:
    """The field's limits."""
    options: Any = field.GetOptions()
    limits: policy_pb2.FieldLimits = options.Extensions[policy_pb2.limits]
    return limits


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map, which to the descriptors is a list of entries."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def annotated(
    message: Descriptor, wanted: Callable[[policy_pb2.FieldPolicy], object]
) -> tuple[Path, ...]:
    """The paths to every field, however deep, whose annotation is `wanted`, in field order.

    Raises AnnotationError for one inside a map or in a message that contains itself: neither can be
    listed.
    """
    return tuple(_walk(message, wanted, ()))


def holders(message: Message, path: Path) -> Iterator[Message]:
    """The messages that hold the path's last field; none where something on the way is not set."""
    if len(path) == 1:
        yield message
    elif path[0].is_repeated:
        for item in getattr(message, path[0].name):
            yield from holders(item, path[1:])
    elif message.HasField(path[0].name):
        yield from holders(getattr(message, path[0].name), path[1:])


def is_set(message: Message, field: FieldDescriptor) -> bool:
    """Whether the caller said something: present, or other than the default where that cannot be told."""
    if field.has_presence:
        return message.HasField(field.name)
    value = getattr(message, field.name)
    return bool(len(value)) if field.is_repeated else bool(value != field.default_value)


def dotted(path: Path) -> str:
    """The path as errors name it, for example `image.content`."""
    return ".".join(field.name for field in path)


def _walk(
    message: Descriptor, wanted: Callable[[policy_pb2.FieldPolicy], object], path: Path
) -> Iterator[Path]:
    for field in message.fields:
        here = (*path, field)
        if wanted(policy_of(field)):
            if any(is_map(above) for above in path):
                raise AnnotationError(f"{field.full_name}: annotated inside the map {dotted(path)}")
            yield here
        inner = field.message_type
        if inner is None or inner.file.package == "google.protobuf":
            continue
        if inner in [above.containing_type for above in here]:
            raise AnnotationError(f"{field.full_name}: {inner.full_name} holds itself")
        yield from _walk(inner, wanted, here)
