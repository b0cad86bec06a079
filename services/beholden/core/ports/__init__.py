"""The ports: what the pipelines and the guard need of the world, each with several adapters.

Every adapter raises `beholden.core.errors.Unavailable` when its engine cannot answer, never
returns an invented answer, and passes the contract tests in tests/contract/.
"""

from __future__ import annotations

from beholden.core.ports.finding import (
    ActionFinder,
    BodyFinder,
    Embedder,
    FaceFinder,
    FaceMatcher,
    FrameReader,
    LabelFinder,
    Moderator,
    TextReader,
    UnsafeFinder,
)
from beholden.core.ports.inference import InferenceEngine, Tensor
from beholden.core.ports.policy import Permission, Permissions, PolicyEngine, Shadow
from beholden.core.ports.records import Jobs, Ledger, Reviews
from beholden.core.ports.store import FaceStore

__all__ = [
    "ActionFinder",
    "BodyFinder",
    "Embedder",
    "FaceFinder",
    "FaceMatcher",
    "FaceStore",
    "FrameReader",
    "InferenceEngine",
    "Jobs",
    "LabelFinder",
    "Ledger",
    "Moderator",
    "Permission",
    "Permissions",
    "PolicyEngine",
    "Reviews",
    "Shadow",
    "Tensor",
    "TextReader",
    "UnsafeFinder",
]
