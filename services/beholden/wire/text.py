"""Lines and words as messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from beholden.core.text import Line, Word
from beholden.v1 import text_pb2
from beholden.wire.faces import bounding_box, point


def texts(lines: Iterable[Line]) -> Iterator[text_pb2.DetectedText]:
    """Each line followed by its words, numbered from 0."""
    ids = count()
    for line in lines:
        parent = next(ids)
        yield _text(line, parent, text_pb2.TEXT_TYPE_LINE, None)
        for word in line.words:
            yield _text(word, next(ids), text_pb2.TEXT_TYPE_WORD, parent)


def _text(
    item: Line | Word, id: int, kind: text_pb2.TextType, parent: int | None
) -> text_pb2.DetectedText:
    return text_pb2.DetectedText(
        id=id,
        parent_id=parent,
        type=kind,
        text=item.text,
        confidence=item.confidence,
        bounding_box=bounding_box(item.box),
        polygon=map(point, item.polygon),
    )
