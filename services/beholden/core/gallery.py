"""Collections and the faces enrolled in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from beholden.core.faces import Pose, Quality, Template
from beholden.core.geometry import Box

T = TypeVar("T")

MAX_FACES = 100
"""The most faces of one person."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A gallery of one tenant. `model` (a `ModelSpec.id`) is fixed at creation, as is `dimension`.

    `id` is unique within the tenant; `created_ns` is Unix time in nanoseconds.
    """

    tenant: str
    id: str
    model: str
    dimension: int
    created_ns: int
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an enrolled face came from and why it may be kept. Times are Unix nanoseconds, 0 if unknown.

    `acquisition` is how the picture was come by, as the API names it; empty if unknown.
    `consent_issuer` is who signed the consent; empty where it was only named. From `expire_ns` on the
    face is in no answer.
    """

    source: str = ""
    legal_basis: str = ""
    consent_id: str = ""
    capture_ns: int = 0
    expire_ns: int = 0
    acquisition: str = ""
    consent_issuer: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """One enrolled face: its template and its past. `id` is a lowercase UUID.

    `media_sha256` (hex) names the picture it was found in, which is not kept; `enrolled_by` is the
    principal. `box`, `confidence`, `quality`, `pose` and `size` (pixels of the box's shorter side) are
    as found; None and 0 where the template came without its picture.
    """

    id: str
    external_image_id: str
    media_sha256: str
    box: Box
    confidence: float
    enrolled_ns: int
    enrolled_by: str
    provenance: Provenance
    template: Template = field(repr=False, compare=False)
    quality: Quality | None = None
    pose: Pose | None = None
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """A gallery face, its template left out, and its cosine to the probe, in [-1, 1]."""

    face: Face
    cosine: float


@dataclass(frozen=True, slots=True)
class Span:
    """Times from `start_ns` on and before `end_ns`, Unix nanoseconds; 0 where there is no such bound.

    An unknown time lies in no span that has a bound.
    """

    start_ns: int = 0
    end_ns: int = 0


@dataclass(frozen=True, slots=True)
class FaceFilter:
    """Which faces are wanted: those of which everything that is said here is true."""

    person: str = ""
    external_image_id: str = ""
    media_sha256: str = ""
    source: str = ""
    legal_basis: str = ""
    consent_id: str = ""
    enrolled_by: str = ""
    captured: Span = Span()
    enrolled: Span = Span()
    expires: Span = Span()


EVERY_FACE = FaceFilter()


class PersonStatus(Enum):
    """Where a person stands; the names are the proto enum's, less its prefix."""

    CREATED = "CREATED"
    """Without a face yet: no search finds them."""
    ACTIVE = "ACTIVE"
    """Searched by all their faces."""
    UPDATING = "UPDATING"
    """Their faces are being changed; searched as before until that is done."""


@dataclass(frozen=True, slots=True)
class Person:
    """Several faces of one human being in one collection, `id` being unique there.

    `faces` are the ids of their faces, sorted, at most MAX_FACES. `created_ns` is Unix time.
    """

    id: str
    created_ns: int
    display_name: str = ""
    faces: tuple[str, ...] = ()
    status: PersonStatus = PersonStatus.CREATED


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """A person and the cosine of the probe to the aggregate of their faces, in [-1, 1]."""

    person: Person
    cosine: float


class Unassociated(Enum):
    """Why a face did not become a person's; the names are the proto enum's, less its prefix."""

    FACE_NOT_FOUND = "FACE_NOT_FOUND"
    FACE_OF_ANOTHER_PERSON = "FACE_OF_ANOTHER_PERSON"
    PERSON_IS_FULL = "PERSON_IS_FULL"


@dataclass(frozen=True, slots=True)
class Association:
    """What became of faces that were to be a person's: the person afterwards, those left out with why."""

    person: Person
    left: tuple[tuple[str, Unassociated], ...] = ()


@dataclass(frozen=True, slots=True)
class DueFace:
    """A face, and the collection that it must go from."""

    collection: Collection
    face: Face


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `next_token` is empty on the last."""

    items: tuple[T, ...]
    next_token: str = ""
