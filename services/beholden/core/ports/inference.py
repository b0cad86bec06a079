"""The engine that runs models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from beholden.core.models import ModelSpec

Tensor = NDArray[Any]


class InferenceEngine(Protocol):
    """Runs models over batches of tensors."""

    async def infer(
        self, model: ModelSpec, inputs: Mapping[str, Tensor], *, timeout: float | None = None
    ) -> Mapping[str, Tensor]:
        """Runs one batch; names, dtypes and ranks are the spec's. `timeout` in seconds.

        Raises InvalidArgument for tensors that do not fit the spec, FailedPrecondition for a model
        that is not there, DeadlineExceeded, Unavailable. A batch over `model.max_batch` is split.
        """
        ...

    async def ready(self, model: ModelSpec) -> bool:
        """Whether the model can be asked now."""
        ...

    async def close(self) -> None:
        """Lets go of sessions and connections; further calls raise Unavailable."""
        ...
