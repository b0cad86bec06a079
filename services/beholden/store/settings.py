"""What an operator may set about the galleries."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class StoreSettings(BaseModel):
    """How the galleries are laid out, searched and waited for; see docs/decisions.md."""

    prefix: str = Field(default="beholden", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")
    """What the names of our Milvus collections begin with, where a server is shared."""

    index: Literal["HNSW", "FLAT"] = "HNSW"
    """The index on a server. Milvus Lite has none: exact, and as fast at its size."""

    hnsw_m: int = Field(default=16, ge=4, le=64)
    """Links a node of the HNSW graph has: more finds more and takes more memory."""

    hnsw_ef_construction: int = Field(default=200, ge=8, le=512)
    """Candidates looked at when a face joins the graph."""

    hnsw_ef: int = Field(default=96, ge=1, le=4096)
    """Candidates looked at in a search; never fewer than the results asked for."""

    partitions: int = Field(default=64, ge=1, le=1024)
    """Into how many parts a server spreads the collections of all tenants."""

    threads: int = Field(default=16, ge=1)
    """Calls to a server at a time. Milvus Lite always has one, or it loses rows."""

    timeout: float = Field(default=5.0, gt=0)
    """Seconds after which a call is given up."""

    load_timeout: float = Field(default=90.0, gt=0)
    """Seconds that a server may take to load the galleries after its own restart."""

    catalog_seconds: float = Field(default=1.0, ge=0)
    """How long another process may believe in a collection that this one has deleted."""

    max_faces: int = Field(default=5000, ge=1)
    """The most faces in one call."""

    max_results: int = Field(default=4096, ge=1, le=16_384)
    """The most matches of one search."""

    max_page: int = Field(default=1000, ge=1, le=16_384)
    """The most items on one page."""

    lite_flush_rows: int = Field(default=1000, ge=1)
    """Milvus Lite: rows that may wait in its log. They are searched 15 times slower than flushed ones."""

    lite_warn_faces: int = Field(default=10_000, ge=1)
    """Milvus Lite: from how many faces on a warning says that a server would serve better."""
