"""What an operator may set about moderation."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ModerationSettings(BaseModel):
    """Defaults of the moderation service."""

    min_confidence: float = Field(default=0.5, ge=0, le=1)
    """Labels under this are left out where the caller says nothing."""

    min_examples: int = Field(default=5, ge=2)
    """A label that a tenant teaches is told once it has so many examples."""

    min_other_examples: int = Field(default=10, ge=2)
    """And once there are so many others: ordinary pictures, and those of other labels."""

    max_examples: int = Field(default=1000, ge=1, le=5000)
    """The most examples of one tenant."""

    neighbours: int = Field(default=64, ge=3, le=1000)
    """How many of the nearest examples a picture is compared with."""

    calibration_seconds: float = Field(default=30.0, ge=0)
    """How long another process may go by examples that this one has added or deleted."""

    page_size: int = Field(default=100, ge=1, le=1000)
    """Items on a page where the caller says nothing."""
