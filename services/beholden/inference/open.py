"""Chooses the inference engine by its URL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from beholden.core.errors import FailedPrecondition
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine
from beholden.inference.settings import InferenceSettings


async def open_inference(
    url: str, repository: Path, models: Sequence[ModelSpec], settings: InferenceSettings
) -> InferenceEngine:
    """`local:` is ONNX Runtime in process, `grpc://host:8001` Triton, `grpcs://` the same over TLS.

    Raises FailedPrecondition for any other URL, and for models that are not there.
    """
    if url == "local:":
        from beholden.inference.local import LocalEngine

        return await asyncio.to_thread(LocalEngine, repository, models, settings)
    address = urlsplit(url)
    if address.scheme in {"grpc", "grpcs"} and address.netloc and not address.path.strip("/"):
        from beholden.inference.triton import TritonEngine

        tls = address.scheme == "grpcs"
        return await TritonEngine.open(address.netloc, models, settings, tls=tls)
    raise FailedPrecondition(
        f"inference_url {url!r} is not known", remedy="use local: or grpc://HOST:PORT"
    )
