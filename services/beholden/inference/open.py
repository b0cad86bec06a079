"""Chooses the inference engine by its URL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from beholden.core.errors import FailedPrecondition
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine
from beholden.inference.settings import InferenceSettings


def open_inference(
    url: str, repository: Path, models: Sequence[ModelSpec], settings: InferenceSettings
) -> InferenceEngine:
    """`local:` is ONNX Runtime in process. Raises FailedPrecondition for any other scheme."""
    if url == "local:":
        from beholden.inference.local import LocalEngine

        return LocalEngine(repository, models, settings)
    raise FailedPrecondition(f"inference_url {url!r} is not known", remedy="use local:")
