"""People, and whose each face is, as rows; pure functions.

    person's row   id = scope . person's id in hex . how new it is
    member's row   id = scope . face's UUID in hex . tag of the person

A person's row is never changed: a newer one is written, then the older ones are removed, for a server
before 2.4 replaces a row by removing it first. Members' rows say whose a face is; a person's template
is made of them, and made anew where a row says that a change of it was not finished.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from beholden.core.errors import InvalidArgument
from beholden.core.faces import Template
from beholden.core.gallery import Face, Person, PersonStatus
from beholden.store.rows import NEVER, Row, face_hex, tag

_MAX_ID = 128
_NEWEST = 2**64


@dataclass(frozen=True, slots=True)
class Kept:
    """A person as one row has them. `expire_ns` is when the first of their faces expires."""

    key: str
    scope: str
    person: Person
    template: Template
    expire_ns: int = NEVER
    settled: bool = True

    @property
    def written_ns(self) -> int:
        """When the row was written, Unix nanoseconds."""
        return _NEWEST - int(self.key.rpartition(".")[2], 16)


def person_key(scope: str, person: str) -> str:
    """What the keys of a person's rows begin with, before their last `.`. Raises InvalidArgument."""
    try:
        raw = person.encode()
    except UnicodeEncodeError:
        raise InvalidArgument("person", "must be valid Unicode") from None
    if not 1 <= len(raw) <= _MAX_ID:
        raise InvalidArgument("person", f"must be 1 to {_MAX_ID} bytes of UTF-8")
    return f"{scope}.{raw.hex()}"


def newer(kept: Kept, now_ns: int) -> Kept:
    """The same with a key of its own, which comes before those of the rows before it."""
    written = max(now_ns, kept.written_ns + 1)
    return replace(kept, key=f"{kept.key.rpartition('.')[0]}.{_NEWEST - written:016x}")


def new(scope: str, person: Person, dimension: int) -> Kept:
    """A person without a face. Raises InvalidArgument."""
    key = f"{person_key(scope, person.id)}.{_NEWEST - 1:016x}"
    return newer(Kept(key, scope, person, placeholder(dimension)), person.created_ns)


def placeholder(dimension: int) -> Template:
    """Milvus wants a vector in each row; no search looks at this one."""
    vector = np.zeros(dimension, np.float32)
    vector[0] = 1
    return vector


def with_faces(kept: Kept, faces: Sequence[Face]) -> Kept:
    """The person with these faces and no others, settled.

    The template is the unit mean of theirs: see docs/similarity.md for why not the best of them.
    """
    person = replace(
        kept.person,
        faces=tuple(sorted(face.id for face in faces)),
        status=PersonStatus.ACTIVE if faces else PersonStatus.CREATED,
    )
    if not faces:
        template = placeholder(len(kept.template))
    else:
        mean = np.mean([face.template for face in faces], axis=0, dtype=np.float64)
        length = np.linalg.norm(mean)
        # Of faces that cancel each other out, which no model makes, one stands for all.
        template = np.asarray(mean / length if length > 1e-6 else faces[0].template, np.float32)
    expire = min((face.provenance.expire_ns or NEVER for face in faces), default=NEVER)
    return replace(kept, person=person, template=template, expire_ns=expire, settled=True)


def kept_to_row(kept: Kept) -> Row:
    """One row."""
    return {
        "id": kept.key,
        "scope": kept.scope,
        "template": kept.template,
        "detail": asdict(kept.person) | {"status": kept.person.status.value},
        "faces": len(kept.person.faces),
        "expire": kept.expire_ns,
        "settled": kept.settled,
    }


def row_to_kept(row: Row) -> Kept:
    """The inverse of `kept_to_row`; who is not settled is UPDATING."""
    detail, settled = row["detail"], bool(row["settled"])
    status = PersonStatus(detail["status"]) if settled else PersonStatus.UPDATING
    person = Person(**{**detail, "faces": tuple(detail["faces"]), "status": status})
    template = np.asarray(row["template"], np.float32)
    return Kept(row["id"], row["scope"], person, template, int(row["expire"]), settled)


def newest(rows: Iterable[Row]) -> list[Kept]:
    """Each person once, as their newest row has them, in the order of their ids."""
    found: dict[str, Kept] = {}
    for kept in map(row_to_kept, sorted(rows, key=lambda row: str(row["id"]))):
        found.setdefault(kept.person.id, kept)
    return list(found.values())


def members_to_rows(scope: str, person: str, faces: Iterable[str]) -> list[Row]:
    """One row a face; what is no lowercase UUID is left out."""
    return [
        {
            "id": f"{scope}.{key}.{tag(person):016x}",
            "scope": scope,
            "face": key,
            "person": tag(person),
            "detail": {"person": person},
            "vector": [1.0, 0.0],
        }
        for key in map(face_hex, faces)
        if key
    ]


def row_to_member(row: Row) -> tuple[str, str]:
    """The face's id and whose it is."""
    return str(uuid.UUID(row["face"])), str(row["detail"]["person"])
