"""Collections and faces as rows, and the keys that put them in order; pure functions.

Every key is of hexadecimal digits and `.`, which sorts below them, so that no caller's string
ever enters an expression and rows sort by what the key spells:

    catalogue row  id = tenant digest . collection's UTF-8 in hex . scope
    face row       id = scope face's UUID in hex

What callers say of a face is found by its tag, a number; equal tags are compared as text again.

A scope is a fresh random name for one life of one collection: a collection that is made anew
never meets rows of its namesake.
"""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from beholden.core.errors import InvalidArgument
from beholden.core.faces import UNIT_TOLERANCE, Pose, Quality, Template
from beholden.core.gallery import Collection, Face, FaceFilter, Provenance, Span
from beholden.core.geometry import Box

Row = dict[str, Any]
Templates = NDArray[np.float32]

MAX_DIMENSION = 32_768

NEVER = 2**63 - 1
"""When a face expires that does not."""

_MAX_NAME = 255
_MAX_DETAIL = 65_536
_INT64 = 2**63
_KEY = re.compile(r"[0-9a-f./]*g?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A collection as the catalogue has it: its row's `id`, and the `scope` of its faces."""

    id: str
    scope: str
    collection: Collection


def equals(field: str, key: str) -> str:
    """The expression that `field` is `key`."""
    return f"{field} == {_literal(key)}"


def between(low: str, high: str) -> str:
    """The expression that `id` lies between two keys, neither included."""
    return f"id > {_literal(low)} and id < {_literal(high)}"


def among(ids: Sequence[str]) -> str:
    """The expression that `id` is one of these keys."""
    return one_of("id", ids)


def one_of(field: str, keys: Sequence[str]) -> str:
    """The expression that `field` is one of these keys."""
    return f"{field} in [{', '.join(map(_literal, keys))}]"


def alive(now_ns: int) -> str:
    """The expression that a row has not expired."""
    return f"expire > {int(now_ns)}"


def tag(text: str) -> int:
    """A number of 63 bits for a text, 0 for none, by which rows are found."""
    if not text:
        return 0
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) >> 1


def tagged(field: str, texts: Iterable[str]) -> str:
    """The expression that the text of `field` may be one of these."""
    return f"{field} in [{', '.join(str(tag(text)) for text in texts)}]"


def wanted_rows(wanted: FaceFilter) -> list[str]:
    """The expressions of which every row must fulfil all; a person is not among them."""
    texts = {field: text for field, text in _texts(wanted).items() if text}
    parts = [tagged(field, [text]) for field, text in texts.items()]
    for field, span in _spans(wanted).items():
        if span != Span():
            parts.append(f"{field} != 0 and {field} < {int(span.end_ns or NEVER)}")
            if span.start_ns:
                parts.append(f"{field} >= {int(span.start_ns)}")
    return parts


def is_wanted(face: Face, wanted: FaceFilter) -> bool:
    """Whether the texts are those wanted, not only their tags."""
    there = _texts(face)
    return all(text in ("", there[field]) for field, text in _texts(wanted).items())


def collection_key(tenant: str, collection: str) -> str:
    """What the ids of a collection's catalogue rows begin with, before their next `.`.

    Raises InvalidArgument for a name that is empty, too long or no Unicode text.
    """
    return f"{tenant_key(tenant)}.{_name('collection', collection).hex()}"


def tenant_key(tenant: str) -> str:
    """What the ids of a tenant's catalogue rows begin with, before their first `.`."""
    return hashlib.sha256(_name("tenant", tenant)).hexdigest()[:32]


def entry_of(collection: Collection) -> Entry:
    """A new life of `collection`. Raises InvalidArgument."""
    if not 2 <= collection.dimension <= MAX_DIMENSION:
        raise InvalidArgument("dimension", f"must be 2 to {MAX_DIMENSION}")
    scope = uuid.uuid4().hex
    key = collection_key(collection.tenant, collection.id)
    return Entry(f"{key}.{scope}", scope, collection)


def entry_to_row(entry: Entry, *, live: bool) -> Row:
    """The catalogue's row; Milvus wants a vector in each."""
    detail = _detail("collection", entry.collection, entry.collection.created_ns)
    return {
        "id": entry.id,
        "scope": entry.scope,
        "live": live,
        "detail": detail,
        "vector": [1.0, 0.0],
    }


def row_to_entry(row: Row) -> Entry:
    """The inverse of `entry_to_row`."""
    return Entry(row["id"], row["scope"], Collection(**row["detail"]))


def face_keys(scope: str, faces: Iterable[str]) -> list[str]:
    """The ids of faces' rows, each once; what is no lowercase UUID is nobody's id and left out."""
    return [scope + face_hex(face) for face in dict.fromkeys(faces) if face_hex(face)]


def face_id(key: str) -> str:
    """The face of a row's id."""
    return str(uuid.UUID(key[-32:]))


def faces_after(scope: str, face: str) -> str:
    """The expression for rows of a scope whose face's id is larger; all where it is empty."""
    return f"{equals('scope', scope)} and {between(scope + face_hex(face), scope + 'g')}"


def faces_to_rows(scope: str, faces: Sequence[Face], dimension: int) -> list[Row]:
    """One row a face; of several with one id the last. Raises InvalidArgument naming `faces`."""
    templates = checked_templates("faces", [face.template for face in faces], dimension)
    tags = cache(tag)  # most is said of many
    rows = {}
    for face, template in zip(faces, templates, strict=True):
        key = face_hex(face.id)
        if not key:
            raise InvalidArgument("faces", f"the id {face.id!r} is no lowercase UUID")
        past = face.provenance
        rows[face.id] = {
            "id": scope + key,
            "scope": scope,
            "template": template,
            "detail": _face_detail(face),
            "captured": past.capture_ns,
            "enrolled": face.enrolled_ns,
            "expire": past.expire_ns or NEVER,
            **{field: tags(text) for field, text in _texts(face).items()},
        }
    return list(rows.values())


def row_to_face(row: Row) -> Face:
    """The inverse of `faces_to_rows`, for one; without a template where the row has none."""
    detail: Mapping[str, Any] = row["detail"]
    quality, pose = detail.get("quality"), detail.get("pose")
    return Face(
        **{
            **detail,
            "box": Box(**detail["box"]),
            "provenance": Provenance(**detail["provenance"]),
            "quality": Quality(**quality) if quality else None,
            "pose": Pose(**pose) if pose else None,
            "id": face_id(row["id"]),
            "template": np.asarray(row.get("template", ()), np.float32),
        }
    )


def checked_templates(field: str, templates: Iterable[Template], dimension: int) -> Templates:
    """Unit vectors as float32, shape (N, dimension). Raises InvalidArgument naming `field`.

    Milvus Lite takes NaN and any length without a word, and finds nothing afterwards.
    """
    vectors = [np.asarray(template) for template in templates]
    for vector in vectors:
        if vector.shape != (dimension,) or vector.dtype.kind not in "fiu":
            raise InvalidArgument(field, f"a template must be {dimension} numbers")
    matrix = np.array(vectors, np.float32).reshape(-1, dimension)
    lengths = np.linalg.norm(matrix.astype(np.float64), axis=1)
    if not np.all(np.abs(lengths - 1.0) <= UNIT_TOLERANCE):
        raise InvalidArgument(field, "a template must be finite and of length 1")
    return matrix


def _face_detail(face: Face) -> bytes:
    """What is not known is not written: a server keeps all this in memory, beside the template."""
    provenance = face.provenance
    detail = {
        "external_image_id": face.external_image_id,
        "media_sha256": face.media_sha256,
        "box": face.box,
        "confidence": face.confidence,
        "enrolled_ns": face.enrolled_ns,
        "enrolled_by": face.enrolled_by,
        "provenance": {
            name: said for name in provenance.__slots__ if (said := getattr(provenance, name))
        },
    }
    more = {"quality": face.quality, "pose": face.pose, "size": face.size}
    detail |= {name: known for name, known in more.items() if known}
    if not math.isfinite(_sum(face)):
        raise InvalidArgument("faces", "its numbers must be finite")
    return _detail("faces", detail, face.enrolled_ns, provenance.capture_ns, provenance.expire_ns)


def _sum(face: Face) -> float:
    """Of all its numbers, so finite only where each of them is."""
    box, quality, pose = face.box, face.quality, face.pose
    total = face.confidence + face.size + box.x_min + box.y_min + box.x_max + box.y_max
    if quality:
        total += quality.brightness + quality.sharpness
    if pose:
        total += pose.roll + pose.yaw + pose.pitch
    return total


def _texts(of: Face | FaceFilter) -> dict[str, str]:
    """What callers say of faces, by the field of its tag."""
    past = of.provenance if isinstance(of, Face) else of
    return {
        "external": of.external_image_id,
        "media": of.media_sha256,
        "enroller": of.enrolled_by,
        "source": past.source,
        "basis": past.legal_basis,
        "consent": past.consent_id,
    }


def _spans(wanted: FaceFilter) -> dict[str, Span]:
    return {"captured": wanted.captured, "enrolled": wanted.enrolled, "expire": wanted.expires}


def _detail(field: str, detail: Row | Collection, *times_ns: int) -> bytes:
    """As JSON. Raises InvalidArgument naming `field`."""
    if min(times_ns) < -_INT64 or max(times_ns) >= _INT64:
        raise InvalidArgument(field, "a time must be Unix nanoseconds of 64 bits")
    try:
        text = orjson.dumps(detail)
    except TypeError as error:
        raise InvalidArgument(field, f"cannot be stored: {error}") from None
    if len(text) > _MAX_DETAIL:
        raise InvalidArgument(field, f"must be at most {_MAX_DETAIL} bytes without its template")
    return text


def face_hex(face: str) -> str:
    """A face's id as keys have it; empty for what is no lowercase UUID."""
    return face.replace("-", "") if isinstance(face, str) and _UUID.fullmatch(face) else ""


def _name(field: str, name: str) -> bytes:
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(field, "must be valid Unicode") from None
    if not 1 <= len(raw) <= _MAX_NAME:
        raise InvalidArgument(field, f"must be 1 to {_MAX_NAME} bytes of UTF-8")
    return raw


def _literal(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("only keys enter expressions")
    return f'"{key}"'
