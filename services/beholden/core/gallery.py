"""Collections and the faces enrolled in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from beholden.core.faces import Template
from beholden.core.geometry import Box

T = TypeVar("T")


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
    """

    source: str = ""
    legal_basis: str = ""
    consent_id: str = ""
    capture_ns: int = 0
    expire_ns: int = 0
    acquisition: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """One enrolled face: its template and its past. `id` is a lowercase UUID.

    `media_sha256` (hex) names the picture it was found in, which is not kept; `enrolled_by` is the
    principal. `box`, `confidence` are as found.
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


@dataclass(frozen=True, slots=True)
class Match:
    """A gallery face and its cosine to the probe, in [-1, 1]."""

    face: Face
    cosine: float


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `next_token` is empty on the last."""

    items: tuple[T, ...]
    next_token: str = ""
