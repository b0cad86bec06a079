"""What an operator may set about video."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class VideoSettings(BaseModel):
    """Where videos lie, how large they may be, and how closely they are looked at."""

    folder: Path | None = None
    """The folder whose files may be asked for by path; without one only uploads are taken."""

    spool: Path = Path("var/video")
    """Where uploads wait until they are analysed; workers on several machines share it."""

    workers: int = Field(default=1, ge=0)
    """Videos that this process analyses at a time; 0: it only takes requests."""

    poll_seconds: float = Field(default=0.5, gt=0)
    """How often an idle worker looks for work, and a busy one whether its work was ended."""

    chunk_seconds: float = Field(default=10.0, gt=0)
    """How much video is analysed between two checkpoints."""

    max_bytes: int = Field(default=10 * 2**30, ge=1)
    """The largest file that is read."""

    max_hours: float = Field(default=6.0, gt=0)
    """The longest video that is read."""

    max_annotations: int = Field(default=200_000, ge=1)
    """The most annotations of one video; with more it ends."""

    side: int = Field(default=1280, ge=224, le=4096)
    """Frames are reduced to at most this many pixels a side before they are looked at."""

    experimental_activities: bool = False
    """Whether activities are told too whose rules were measured on nobody who does them."""

    batch: int = Field(default=4, ge=1, le=32)
    """Frames that are looked at together."""

    moving_seconds: float = Field(default=0.3, ge=0)
    """Seconds between two frames that are looked at while much moves; 0, as below: every frame."""

    stirring_seconds: float = Field(default=1.0, ge=0)
    """The same while little moves."""

    still_seconds: float = Field(default=2.0, ge=0)
    """The same while nothing does."""

    streams: int = Field(default=16, ge=1)
    """Live streams that this process analyses at a time."""

    stream_latency: float = Field(default=2.0, ge=0.1, le=30)
    """Seconds that a live frame may wait, where its caller does not say; older ones are left out."""

    stream_frames: int = Field(default=64, ge=1)
    """The most frames of a live stream that wait."""

    stream_bytes: int = Field(default=64 * 2**20, ge=2**20)
    """The most bytes that they take, and again those of an encoded stream that wait to be decoded."""
