"""What an operator may set about search."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Quota(BaseModel):
    """The most that a tenant may keep; None is no bound."""

    collections: int | None = Field(default=None, ge=0)
    faces: int | None = Field(default=None, ge=0)


class SearchSettings(BaseModel):
    """Defaults of the search service."""

    min_similarity: float = Field(default=0.8, ge=0, le=1)
    """Candidates under this are left out where the caller says nothing; see docs/similarity.md."""

    max_results: int = Field(default=10, ge=1, le=1000)
    """The most candidates where the caller says nothing."""

    max_faces: int = Field(default=100, ge=1, le=100)
    """The most faces to enrol from one picture where the caller says nothing."""

    page_size: int = Field(default=100, ge=1, le=1000)
    """Items a page where the caller says nothing."""

    bulk_pictures: int = Field(default=8, ge=1, le=64)
    """Pictures of one stream that are looked at together; three times as many are held at most."""

    bulk_linger: float = Field(default=0.02, ge=0)
    """Seconds that a stream's picture waits for others to be looked at with."""

    bulk_ahead: int = Field(default=3, ge=1, le=16)
    """Batches of one stream that are worked on at a time."""

    bulk_batches: int = Field(default=8, ge=1, le=64)
    """Batches of one stream of ready templates that are worked on at a time: most of it is waiting."""

    sweep_seconds: float = Field(default=10.0, gt=0)
    """How often faces are looked for whose time has come or whose consent was revoked."""

    quota: Quota = Field(default_factory=Quota)
    """What each tenant may keep: `{"collections": 100, "faces": 1000000}`."""

    quotas: dict[str, Quota] = Field(default_factory=dict)
    """What one tenant may keep, by its id, in place of `quota`."""
