"""What an operator may set about moderation."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ModerationSettings(BaseModel):
    """Defaults of the moderation service."""

    min_confidence: float = Field(default=0.5, ge=0, le=1)
    """Labels under this are left out where the caller says nothing."""

    page_size: int = Field(default=100, ge=1, le=1000)
    """Items on a page where the caller says nothing."""
