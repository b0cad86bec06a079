"""What an operator may set about embedding."""

from __future__ import annotations

from pydantic import BaseModel, Field


class EmbeddingSettings(BaseModel):
    """How faces are cut out and compared."""

    side: int = Field(default=1920, ge=160, le=8192)
    """The most pixels on the longer side of the decoded picture, from which chips are cut."""

    min_similarity: float = Field(default=0.8, ge=0, le=1)
    """CompareFaces' threshold where the caller says nothing; see docs/similarity.md."""

    max_faces: int = Field(default=100, ge=1, le=100)
    """The most faces of one picture, the largest first."""
