"""A model for Triton's Python backend: runs the ONNX file beside it, for servers without ONNX Runtime's own.

Laid out by `python_backend.py` as `<name>/<version>/model.py`; only Triton imports it, in its own
Python environment, where nothing of Beholden is installed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb


class TritonPythonModel:
    """The interface that Triton's Python backend asks for."""

    def initialize(self, args: dict[str, str]) -> None:
        """Makes the session; on a GPU where ONNX Runtime has one."""
        if not np.__version__.startswith("1."):
            # Built against NumPy 1, the backend reads NumPy 2's arrays wrong, and without an error.
            raise pb.TritonModelException(f"needs numpy<2, not {np.__version__}")
        config = json.loads(args["model_config"])
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._outputs = [tensor["name"] for tensor in config["output"]]
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(config["parameters"]["threads"]["string_value"])
        # Spinning threads would take the cores from the other instances and from the services.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Pictures come in many sizes: a memory pattern for each shape would only grow.
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        path = Path(args["model_repository"]) / args["model_version"] / "model.onnx"
        gpu = {"device_id": int(args["model_instance_device_id"] or 0)}
        wanted = [("CUDAExecutionProvider", gpu), ("CPUExecutionProvider", {})]
        there = ort.get_available_providers()
        self._session = ort.InferenceSession(
            str(path), options, providers=[provider for provider in wanted if provider[0] in there]
        )

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Runs what the dynamic batcher put together (equal shapes) as one batch."""
        responses: list[Any] = [_cancelled() if r.is_cancelled() else None for r in requests]
        wanted = [index for index, response in enumerate(responses) if response is None]
        if not wanted:
            return responses
        parts = [[_array(requests[index], name) for name in self._inputs] for index in wanted]
        batch = parts[0] if len(parts) == 1 else list(map(np.concatenate, zip(*parts, strict=True)))
        try:
            answers = self._session.run(self._outputs, dict(zip(self._inputs, batch, strict=True)))
        except Exception as error:  # noqa: BLE001
            # ONNX Runtime raises bare pybind exceptions; whatever it is, there is no answer.
            failed = pb.InferenceResponse(error=pb.TritonError(str(error)))
            return [failed if response is None else response for response in responses]
        start = 0
        for index, part in zip(wanted, parts, strict=True):
            end = start + len(part[0])
            rows = [
                pb.Tensor(name, answer[start:end])
                for name, answer in zip(self._outputs, answers, strict=True)
            ]
            responses[index] = pb.InferenceResponse(output_tensors=rows)
            start = end
        return responses


def _cancelled() -> Any:
    return pb.InferenceResponse(
        error=pb.TritonError("the caller went away", pb.TritonError.CANCELLED)
    )


def _array(request: Any, name: str) -> Any:
    return pb.get_input_tensor_by_name(request, name).as_numpy()
