"""What an operator may set about detection."""

from __future__ import annotations

from pydantic import BaseModel, Field


class RedactionSettings(BaseModel):
    """How closely pictures are looked at for what is to be hidden: rather too much than too little."""

    side: int = Field(default=1920, ge=64, le=4096)
    """Pictures are reduced to this many pixels a side, or enlarged up to twice, before faces are sought."""

    face_confidence: float = Field(default=0.2, ge=0, le=1)
    """Faces from this confidence on are hidden."""

    face_margin: float = Field(default=0.25, ge=0, le=1)
    """What is hidden around a face's box: this share of its width and height on each side."""

    text_side: int = Field(default=1440, ge=64, le=4096)
    """Text is sought in pictures reduced to the area of this many pixels by three quarters of them."""

    text_confidence: float = Field(default=0.3, ge=0, le=1)
    """Lines from this confidence on are hidden; it is the mean over the line's core."""

    text_margin: float = Field(default=0.15, ge=0, le=1)
    """What is hidden around a line: this share of its height on each side."""


class DetectionSettings(BaseModel):
    """How closely pictures are looked at."""

    side: int = Field(default=960, ge=64, le=4096)
    """Pictures are reduced so that their longer side has at most this many pixels before faces are sought."""

    max_faces: int = Field(default=100, ge=1, le=1000)
    """The most faces to return where the caller says nothing."""

    label_side: int = Field(default=832, ge=224, le=4096)
    """Pictures are reduced to at most this many pixels a side before labels and colours are told."""

    min_label_confidence: float = Field(default=0.55, ge=0, le=1)
    """Labels under this are left out where the caller says nothing."""

    text_side: int = Field(default=960, ge=64, le=4096)
    """Text is sought in pictures reduced to the area of this many pixels by three quarters of them."""

    text_detail_side: int = Field(default=2560, ge=64, le=8192)
    """Lines are cut out of pictures reduced to at most this many pixels a side."""

    min_word_confidence: float = Field(default=0.8, ge=0, le=1)
    """Words under this are left out where the caller says nothing."""

    redaction: RedactionSettings = Field(default_factory=RedactionSettings)
