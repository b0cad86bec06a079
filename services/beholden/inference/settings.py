"""What an operator may set about inference."""

from __future__ import annotations

import os

from pydantic import BaseModel, Field


class InferenceSettings(BaseModel):
    """How engines use the machine; see docs/decisions.md for the figures behind the defaults."""

    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Threads that one run of a model may use (local engine)."""

    concurrency: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Runs at a time, over all models (local engine)."""

    timeout: float = Field(default=30.0, gt=0)
    """Seconds after which a run is given up where the caller set no deadline."""

    shared_memory: int = Field(default=0, ge=0)
    """MiB of memory to share with a Triton on the same host, under the same user; 0: none."""
