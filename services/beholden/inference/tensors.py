"""Checks tensors against a model's spec, and cuts batches to what it takes; shared by both adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from beholden.core.errors import InvalidArgument
from beholden.core.models import ModelSpec
from beholden.core.ports import Tensor


def check(model: ModelSpec, inputs: Mapping[str, Tensor]) -> int:
    """The batch's size. Raises InvalidArgument for names, dtypes or shapes that are not the spec's."""
    wanted = {spec.name for spec in model.inputs}
    if set(inputs) != wanted:
        raise InvalidArgument("inputs", f"{model.id} takes {sorted(wanted)}, not {sorted(inputs)}")
    sizes = set()
    for spec in model.inputs:
        tensor = inputs[spec.name]
        fits = len(tensor.shape) == len(spec.shape) and all(
            want in (-1, have) for want, have in zip(spec.shape, tensor.shape, strict=True)
        )
        if not fits or tensor.dtype != np.dtype(spec.dtype):
            raise InvalidArgument(
                f"inputs.{spec.name}",
                f"{model.id} takes {spec.dtype} {list(spec.shape)}, "
                f"not {tensor.dtype} {list(tensor.shape)}",
            )
        sizes.add(tensor.shape[0])
    if len(sizes) != 1 or 0 in sizes:
        raise InvalidArgument(
            "inputs", f"{model.id} takes one batch size over 0, not {sorted(sizes)}"
        )
    return int(sizes.pop())


def batches(
    model: ModelSpec, inputs: Mapping[str, Tensor], size: int
) -> Iterator[Mapping[str, Tensor]]:
    """Views of at most `model.max_batch` rows each."""
    step = max(1, model.max_batch)
    for start in range(0, size, step):
        yield {name: tensor[start : start + step] for name, tensor in inputs.items()}


def joined(parts: Sequence[Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
    """The batches' outputs as one."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
