"""NVIDIA Triton over gRPC (KServe v2), with shared memory for large tensors where it is on the same host."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import (
    InferenceServerException,
    np_to_triton_dtype,
    triton_to_np_dtype,
)

from beholden.core.errors import BeholdenError, DeadlineExceeded, FailedPrecondition, Unavailable
from beholden.core.models import ModelSpec, TensorSpec
from beholden.core.ports import Tensor
from beholden.inference import tensors
from beholden.inference.admission import Served, differences
from beholden.inference.deadline import Deadline
from beholden.inference.loans import Loan, Loans
from beholden.inference.regions import Regions, abandoned
from beholden.inference.settings import InferenceSettings

_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # gRPC's own patience grows to two minutes; a Triton that is back should be used at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Where the name stands for several Tritons, they take turns.
    ("grpc.lb_policy_name", "round_robin"),
]
_PROBE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class _GoneError(Unavailable):
    """Triton did not take the request or was started anew: asking once more is worth it."""


class _MisfitError(Unavailable):
    """The answer was not of last time's shapes: the place that was kept for it does not do."""


class TritonEngine:
    """Implements `InferenceEngine`. Make it with `open`, on the event loop that uses it."""

    def __init__(self, address: str, settings: InferenceSettings, *, tls: bool) -> None:
        """`address` is host:port."""
        self._address = address
        self._settings = settings
        self._client: Any = InferenceServerClient(address, ssl=tls, channel_args=_CHANNEL)
        limit = settings.shared_memory << 20
        self._regions = Regions(self._map, self._unmap, limit)
        self._loans = Loans(self._regions)
        self._admitted: set[str] = set()
        self._calls = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closed = False

    @classmethod
    async def open(
        cls, address: str, models: Sequence[ModelSpec], settings: InferenceSettings, *, tls: bool
    ) -> TritonEngine:
        """Connects, and holds what Triton says of each model against its spec.

        A Triton that is not there yet only makes `ready` False; the same is held against it later.
        Raises FailedPrecondition for a model that is absent or another than the spec says, and for
        shared memory that Triton cannot map.
        """
        engine = cls(address, settings, tls=tls)
        try:
            for model in models:
                await engine._admit(model, _PROBE_SECONDS)
            if settings.shared_memory:
                await engine._try_shared_memory()
        except (Unavailable, DeadlineExceeded) as error:
            _log.warning("%s; not ready until it is there", error)
        except BaseException:
            await engine.close()
            raise
        return engine

    async def infer(
        self, model: ModelSpec, inputs: Mapping[str, Tensor], *, timeout: float | None = None
    ) -> Mapping[str, Tensor]:
        """See `InferenceEngine.infer`. Cancelling the task cancels the call; answers may be read-only."""
        size = tensors.check(model, inputs)
        with self._call():
            deadline = Deadline(model.id, timeout or self._settings.timeout)
            await self._admit(model, deadline.left())
            parts = [
                await self._run(model, batch, deadline)
                for batch in tensors.batches(model, inputs, size)
            ]
        return tensors.joined(parts)

    async def ready(self, model: ModelSpec) -> bool:
        """Whether Triton can be asked for the model now, and it is the spec's."""
        if self._closed:
            return False
        try:
            asked = self._client.is_model_ready(
                model.name, str(model.version), client_timeout=_PROBE_SECONDS
            )
            if await asked:
                await self._admit(model, _PROBE_SECONDS)
                return True
        except BeholdenError as error:
            _log.warning("%s is not ready: %s", model.id, error)
        except InferenceServerException as error:
            _translated(error, model.id)
        self._forget()
        return False

    async def close(self) -> None:
        """Waits for the calls in progress, which all have deadlines, then hangs up."""
        self._closed = True
        # To the task that waits for it, a call under which the channel closes looks cancelled.
        await self._quiet.wait()
        await self._regions.close(_PROBE_SECONDS)
        await self._client.close()

    @contextmanager
    def _call(self) -> Iterator[None]:
        if self._closed:
            raise Unavailable("inference", "the engine is closed")
        self._calls += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._quiet.set()

    async def _run(
        self, model: ModelSpec, batch: Mapping[str, Tensor], deadline: Deadline
    ) -> Mapping[str, Tensor]:
        """Asks, and asks once more where that is worth it; inference changes nothing."""
        try:
            return await self._ask(model, batch, deadline)
        except _GoneError:
            self._forget()
            await self._admit(model, deadline.left())
        except _MisfitError:
            self._loans.avoid(model)
        return await self._ask(model, batch, deadline)

    async def _ask(
        self, model: ModelSpec, batch: Mapping[str, Tensor], deadline: Deadline
    ) -> Mapping[str, Tensor]:
        async with self._loans.lend(model, batch, deadline.left()) as loan:
            sent = [_input(spec, batch[spec.name], loan) for spec in model.inputs]
            wanted = [_output(spec, loan) for spec in model.outputs]
            left = deadline.left()
            try:
                result = await self._client.infer(
                    model.name,
                    sent,
                    str(model.version),
                    wanted,
                    timeout=int(left * 1e6),
                    client_timeout=left,
                )
            except InferenceServerException as error:
                if loan and "shared memory size" in str(error.message()):
                    raise _MisfitError("inference", f"{model.id} answered at length") from error
                raise _translated(error, model.id) from error
            answer = {spec.name: _answered(model, spec, result, loan) for spec in model.outputs}
        if loan is None:
            self._loans.learn(model, batch, answer)
        return answer

    async def _admit(self, model: ModelSpec, timeout: float) -> None:
        """Lets the model be asked once what Triton says of it is what the catalogue says."""
        if model.id in self._admitted:
            return
        named = model.name, str(model.version)
        try:
            metadata = await self._client.get_model_metadata(*named, client_timeout=timeout)
            answer = await self._client.get_model_config(*named, client_timeout=timeout)
        except InferenceServerException as error:
            raise _translated(error, model.id) from error
        served = Served(
            [_spec(tensor) for tensor in metadata.inputs],
            [_spec(tensor) for tensor in metadata.outputs],
            answer.config.max_batch_size,
            answer.config.parameters["digest"].string_value,
        )
        if problems := differences(model, served):
            raise FailedPrecondition(
                f"{model.id} on Triton at {self._address} has {'; '.join(problems)}",
                remedy="lay out its repository anew from the models that the services have",
            )
        self._admitted.add(model.id)

    def _forget(self) -> None:
        """The next Triton at this address may be another: nothing known of this one holds for it."""
        self._admitted.clear()
        self._loans.forget()

    async def _try_shared_memory(self) -> None:
        """Maps a little; and what processes that were killed have left mapped is let go."""
        async with self._regions.lend(1, _PROBE_SECONDS):
            pass
        try:
            known = await self._client.get_system_shared_memory_status(
                client_timeout=_PROBE_SECONDS
            )
        except InferenceServerException as error:
            raise _translated(error) from error
        for name in filter(abandoned, known.regions):
            with suppress(BeholdenError):  # still in use, by a call that nobody waits for
                await self._unmap(name, _PROBE_SECONDS)

    async def _map(self, name: str, key: str, size: int, timeout: float) -> None:
        try:
            await self._client.register_system_shared_memory(
                name, key, size, client_timeout=timeout
            )
        except InferenceServerException as error:
            if error.status() != "StatusCode.INTERNAL":
                raise _translated(error) from error
            raise FailedPrecondition(
                f"Triton at {self._address} cannot map this process's shared memory",
                remedy="unset BEHOLDEN_INFERENCE__SHARED_MEMORY, or run both on one host as one user",
            ) from error

    async def _unmap(self, name: str, timeout: float) -> None:
        try:
            await self._client.unregister_system_shared_memory(name, client_timeout=timeout)
        except InferenceServerException as error:
            raise _translated(error) from error


def _input(spec: TensorSpec, tensor: Tensor, loan: Loan | None) -> Any:
    sent = InferInput(spec.name, list(tensor.shape), np_to_triton_dtype(tensor.dtype))
    if loan is None:
        return sent.set_data_from_numpy(tensor)
    return sent.set_shared_memory(*loan.write(spec.name, tensor))


def _output(spec: TensorSpec, loan: Loan | None) -> Any:
    wanted = InferRequestedOutput(spec.name)
    if loan is not None:
        wanted.set_shared_memory(*loan.place(spec.name, spec.dtype))
    return wanted


def _answered(model: ModelSpec, spec: TensorSpec, result: Any, loan: Loan | None) -> Tensor:
    """One output. Raises Unavailable for one that cannot be what was asked for."""
    if loan is not None:
        if tuple(result.get_output(spec.name).shape) != loan.shapes[spec.name]:
            raise _MisfitError("inference", f"{model.id} answered in brief")
        return loan.read(spec.name, spec.dtype)
    try:
        tensor: Tensor | None = result.as_numpy(spec.name)
    except ValueError:
        tensor = None
    if tensor is None or tensor.dtype != np.dtype(spec.dtype):
        raise Unavailable("inference", f"{model.id} gave a broken {spec.name}")
    return tensor


def _spec(tensor: Any) -> TensorSpec:
    dtype = np.dtype(triton_to_np_dtype(tensor.datatype)).name
    return TensorSpec(tensor.name, dtype, tuple(tensor.shape))


def _translated(error: InferenceServerException, what: str = "shared memory") -> BeholdenError:
    """Triton's error as one of ours; what it says of itself is for the operator's log only."""
    status = str(error.status()).removeprefix("StatusCode.")
    message = str(error.message())
    if status == "DEADLINE_EXCEEDED":
        return DeadlineExceeded(f"{what} did not answer in time")
    if status == "NOT_FOUND" and "shared memory" not in message:
        pull = f"beholden models pull {what.partition('@')[0]}"
        return FailedPrecondition(f"Triton has no {what}", remedy=f"{pull}, then start it anew")
    _log.warning("%s: Triton says %s: %s", what, status, message)
    if status in {"UNAVAILABLE", "NOT_FOUND"}:
        return _GoneError("inference", f"Triton cannot be asked for {what}")
    return Unavailable("inference", f"{what} failed in Triton")
