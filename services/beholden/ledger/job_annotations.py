"""What jobs found, as encrypted rows that are listed by time or by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, tuple_

from beholden.core.geometry import Box
from beholden.core.jobs import Annotation, Claim, Wanted
from beholden.ledger.job_tables import ANNOTATIONS
from beholden.ledger.sealed_box import SealedBox

_BY_TIME = (ANNOTATIONS.c.start_us, ANNOTATIONS.c.chunk, ANNOTATIONS.c.ordinal)
_BY_NAME = (ANNOTATIONS.c.name, *_BY_TIME)


def add_annotations(
    connection: Connection, box: SealedBox, claim: Claim, found: Sequence[Annotation]
) -> None:
    """Writes what the claim's chunk found."""
    job, chunk = claim.job.id, claim.job.chunk
    rows = [
        {
            "job": job,
            "chunk": chunk,
            "ordinal": ordinal,
            "span": one.span,
            "feature": one.feature,
            "name": one.name,
            "start_us": one.start_us,
            "body": box.seal(_packed(one), f"{job}/{chunk}/{ordinal}"),
        }
        for ordinal, one in enumerate(found)
    ]
    if rows:
        connection.execute(insert(ANNOTATIONS), rows)


def page_query(job: str, wanted: Wanted, position: Sequence[str | int] | None) -> Select[Any]:
    """The wanted rows of a job in their order, after `position` where there is one."""
    order = _BY_NAME if wanted.by_name else _BY_TIME
    query = select(ANNOTATIONS).where(ANNOTATIONS.c.job == job, ANNOTATIONS.c.span == wanted.spans)
    if wanted.features:
        query = query.where(ANNOTATIONS.c.feature.in_(wanted.features))
    if wanted.name:
        query = query.where(ANNOTATIONS.c.name == wanted.name)
    if position is not None:
        query = query.where(tuple_(*order) > tuple_(*position))
    return query.order_by(*order)


def position_of(row: Row[Any], wanted: Wanted) -> list[str | int]:
    """Where a row lies in the order that is wanted."""
    columns = _BY_NAME if wanted.by_name else _BY_TIME
    return [getattr(row, column.name) for column in columns]


def read_annotation(box: SealedBox, row: Row[Any]) -> Annotation:
    """What a row holds. Raises FailedPrecondition for one that was changed."""
    return _unpacked(box.open(bytes(row.body), f"{row.job}/{row.chunk}/{row.ordinal}"))


def _packed(one: Annotation) -> bytes:
    """A line of JSON, and the picture after it."""
    document = asdict(replace(one, picture=b""))
    del document["picture"]
    return json.dumps(document).encode() + b"\n" + one.picture


def _unpacked(body: bytes) -> Annotation:
    line, _, picture = body.partition(b"\n")
    document = json.loads(line)
    if (box := document.pop("box")) is not None:
        box = Box(**box)
    return Annotation(**document, box=box, picture=picture)
