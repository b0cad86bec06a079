"""ONNX Runtime in process, over the same model repository that Triton reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import onnxruntime as ort

from beholden.core.errors import DeadlineExceeded, FailedPrecondition, Unavailable
from beholden.core.models import ModelSpec
from beholden.core.ports import Tensor
from beholden.inference import tensors
from beholden.inference.settings import InferenceSettings

_KEEP_SECONDS = 10.0


class LocalEngine:
    """Implements `InferenceEngine`. Sessions are made at start, runs happen on threads of its own."""

    def __init__(
        self, repository: Path, models: Sequence[ModelSpec], settings: InferenceSettings
    ) -> None:
        """Loads `models` from `<repository>/<name>/<version>/model.onnx`.

        Raises FailedPrecondition for a model that is not there or does not load.
        """
        self._settings = settings
        self._sessions = {model.id: _Session(repository, model, settings) for model in models}
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="inference")
        self._closed = False

    async def infer(
        self, model: ModelSpec, inputs: Mapping[str, Tensor], *, timeout: float | None = None
    ) -> Mapping[str, Tensor]:
        """See `InferenceEngine.infer`. A run that outlasts its time ends unheard: it cannot be cut short."""
        if self._closed:
            raise Unavailable("inference", "the engine is closed")
        session = self._sessions.get(model.id)
        if session is None:
            raise FailedPrecondition(
                f"{model.id} is not loaded", remedy=f"beholden models pull {model.name}"
            )
        size = tensors.check(model, inputs)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout or self._settings.timeout):
                parts = [
                    await loop.run_in_executor(self._threads, session.run, batch)
                    for batch in tensors.batches(model, inputs, size)
                ]
        except TimeoutError:
            raise DeadlineExceeded(f"{model.id} did not answer in time") from None
        return tensors.joined(parts)

    async def ready(self, model: ModelSpec) -> bool:
        """Whether the model is loaded."""
        return not self._closed and model.id in self._sessions

    async def close(self) -> None:
        """Waits for runs in progress, then drops the sessions."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._sessions.clear()


class _Session:
    """A model, ready to run.

    ONNX Runtime keeps all that a run ever took for the next one, and pictures come in many sizes.
    Now and then a run is told to give back what it leaves free: to do so after each would cost the
    next one a third of its time.
    """

    def __init__(self, repository: Path, model: ModelSpec, settings: InferenceSettings) -> None:
        self._model = model
        self._session = _session(repository, model, settings)
        self._outputs = [output.name for output in model.outputs]
        self._giving_back = ort.RunOptions()
        self._giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._gave_back = time.monotonic()

    def run(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The outputs by name. Raises Unavailable."""
        options, now = None, time.monotonic()
        if now - self._gave_back > _KEEP_SECONDS:
            options, self._gave_back = self._giving_back, now
        try:
            found = self._session.run(self._outputs, dict(inputs), options)
        except Exception as error:
            # ONNX Runtime raises bare pybind exceptions; whatever it is, there is no answer.
            raise Unavailable("inference", f"{self._model.id} failed: {error}") from error
        return dict(zip(self._outputs, found, strict=True))


def _session(
    repository: Path, model: ModelSpec, settings: InferenceSettings
) -> ort.InferenceSession:
    path = repository / model.name / str(model.version) / "model.onnx"
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    # Spinning threads would take the cores from decoding and from the event loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Pictures come in many sizes: a memory pattern or arena per shape would only grow.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise FailedPrecondition(
            f"{model.id} does not load from {path}: {error}",
            remedy=f"beholden models pull {model.name}",
        ) from error
