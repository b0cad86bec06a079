"""What an operator may set about detection."""

from __future__ import annotations

from pydantic import BaseModel, Field


class DetectionSettings(BaseModel):
    """How closely pictures are looked at."""

    side: int = Field(default=960, ge=64, le=4096)
    """Pictures are reduced so that their longer side has at most this many pixels before faces are sought."""

    max_faces: int = Field(default=100, ge=1, le=1000)
    """The most faces to return where the caller says nothing."""
