"""Which calls go through shared memory, and where in a region their tensors lie."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from beholden.core.models import ModelSpec
from beholden.core.ports import Tensor
from beholden.inference.regions import Region, Regions

_WORTH_IT = 256 * 1024
"""Bytes of input from which shared memory was measured to cost less than the wire."""

_ALIGNMENT = 64
_REMEMBERED = 1024

Shapes = Mapping[str, tuple[int, ...]]
Place = tuple[str, int, int]
"""Triton's words for where a tensor lies: region, size in bytes, offset."""


@dataclass(frozen=True, slots=True)
class Loan:
    """A region lent for one call; `offsets` are the tensors' places in it, `shapes` the outputs' shapes."""

    region: Region
    offsets: Mapping[str, int]
    shapes: Shapes

    def write(self, name: str, tensor: Tensor) -> Place:
        """Copies an input, of any strides, to its place."""
        offset = self.offsets[name]
        np.ndarray(tensor.shape, tensor.dtype, self.region.memory.buf, offset)[...] = tensor
        return self.region.name, tensor.nbytes, offset

    def place(self, name: str, dtype: str) -> Place:
        """Where the output called `name` is to be written."""
        return self.region.name, _size(self.shapes[name], dtype), self.offsets[name]

    def read(self, name: str, dtype: str) -> Tensor:
        """A copy of an output: the region is another's soon."""
        buffer = self.region.memory.buf
        return np.ndarray(self.shapes[name], dtype, buffer, self.offsets[name]).copy()


class Loans:
    """Lends regions to calls whose inputs are worth it and whose outputs' sizes are known by now.

    Triton wants the outputs' sizes beforehand, and a graph's are known only from an earlier answer
    to inputs of the same shapes: the first call of each shape goes over the wire.
    """

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._shapes: OrderedDict[tuple[object, ...], Shapes] = OrderedDict()
        self._avoided: set[str] = set()

    @asynccontextmanager
    async def lend(
        self, model: ModelSpec, batch: Mapping[str, Tensor], timeout: float
    ) -> AsyncIterator[Loan | None]:
        """None means over the wire. Raises BeholdenError."""
        shapes = self._shapes.get(_key(model, batch))
        if shapes is None or sum(tensor.nbytes for tensor in batch.values()) < _WORTH_IT:
            yield None
            return
        sizes = {spec.name: batch[spec.name].nbytes for spec in model.inputs}
        sizes |= {spec.name: _size(shapes[spec.name], spec.dtype) for spec in model.outputs}
        offsets, end = {}, 0
        for name, size in sizes.items():
            offsets[name] = end
            end += math.ceil(size / _ALIGNMENT) * _ALIGNMENT
        async with self._regions.lend(end, timeout) as region:
            yield Loan(region, offsets, shapes) if region else None

    def learn(
        self, model: ModelSpec, batch: Mapping[str, Tensor], answer: Mapping[str, Tensor]
    ) -> None:
        """Remembers the shapes of an answer."""
        if model.id in self._avoided:
            return
        self._shapes[_key(model, batch)] = {name: part.shape for name, part in answer.items()}
        if len(self._shapes) > _REMEMBERED:
            self._shapes.popitem(last=False)

    def avoid(self, model: ModelSpec) -> None:
        """Lends nothing to a model whose answers' shapes depend on more than its inputs' shapes."""
        self._avoided.add(model.id)
        self._shapes = OrderedDict(
            (key, shapes) for key, shapes in self._shapes.items() if key[0] != model.id
        )

    def forget(self) -> None:
        """Nothing that was known of Triton may be true of the next one."""
        self._shapes.clear()
        self._regions.forget()


def _key(model: ModelSpec, batch: Mapping[str, Tensor]) -> tuple[object, ...]:
    return (model.id, *(batch[spec.name].shape for spec in model.inputs))


def _size(shape: tuple[int, ...], dtype: str) -> int:
    return math.prod(shape) * np.dtype(dtype).itemsize
