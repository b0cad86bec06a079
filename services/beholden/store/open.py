"""Opens the galleries that a URL names."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

from beholden.core.errors import FailedPrecondition
from beholden.core.ports import FaceStore
from beholden.store.backend import Backend
from beholden.store.milvus import MilvusStore, translated
from beholden.store.settings import StoreSettings


async def open_store(url: str, settings: StoreSettings) -> FaceStore:
    """`file:PATH` is Milvus Lite in this process, `http://HOST:PORT` (or https) a Milvus server.

    Raises FailedPrecondition for another URL, a database that is open in another process or has
    lost rows, and a schema newer than ours; Unavailable when the server cannot be reached.
    """
    return await asyncio.to_thread(translated, _open, url, settings)


def _open(url: str, settings: StoreSettings) -> FaceStore:
    for noisy in ("pymilvus", "milvus_lite"):  # they log what they also raise, with tracebacks
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    backend = _backend(url, settings)
    try:
        return MilvusStore(backend, settings)
    except BaseException:
        backend.close()
        raise


def _backend(url: str, settings: StoreSettings) -> Backend:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path not in ("", "/") and not parts.netloc:
        from beholden.store.lite import LiteBackend

        return LiteBackend(Path(parts.path), settings)
    if parts.scheme in ("http", "https") and parts.hostname:
        from beholden.store.server import ServerBackend

        return ServerBackend(url, settings)
    raise FailedPrecondition(
        "store_url is of no Milvus", remedy="use file:PATH (embedded) or http://HOST:PORT"
    )
