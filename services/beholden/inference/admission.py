"""Whether the model that a server has is the model that the catalogue means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from beholden.core.models import ModelSpec, TensorSpec


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says of one model. `digest` is the weights' SHA-256 where its repository says it."""

    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    max_batch: int
    digest: str = ""


def differences(model: ModelSpec, served: Served) -> list[str]:
    """What the server has otherwise than the spec, in words; empty when they are the same."""
    found = [
        *_tensors("input", model.inputs, served.inputs),
        *_tensors("output", model.outputs, served.outputs),
    ]
    if served.max_batch < model.max_batch:
        found.append(f"batches of at most {served.max_batch}, not {model.max_batch}")
    if served.digest and model.digest and served.digest != model.digest:
        found.append(f"weights {served.digest[:12]}, not {model.digest[:12]}")
    return found


def _tensors(kind: str, wanted: Sequence[TensorSpec], has: Sequence[TensorSpec]) -> Iterator[str]:
    there = {spec.name: spec for spec in has}
    for spec in wanted:
        found = there.pop(spec.name, None)
        if found is None:
            yield f"no {kind} {spec.name}"
        elif found != spec:
            yield f"{kind} {spec.name} as {_said(found)}, not {_said(spec)}"
    # An output more does no harm: it is not asked for.
    if kind == "input":
        yield from (f"a further input {name}" for name in there)


def _said(spec: TensorSpec) -> str:
    return f"{spec.dtype} {list(spec.shape)}"
