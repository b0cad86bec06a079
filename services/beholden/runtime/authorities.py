"""Whose evidence is believed, as the law's files say now: a revocation counts without a restart."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.guard.authorities import Authorities, read_authorities

_log = logging.getLogger(__name__)

_State = tuple[tuple[int, int, int] | None, ...]


class LawAuthorities:
    """Reads law/issuers and law/revocations under a policies folder again whenever they change."""

    def __init__(self, folder: Path) -> None:
        self._files = tuple(folder / "law" / name / "data.json" for name in _NAMES)
        self._lock = threading.Lock()
        self._seen: _State | None = None
        self._read: Authorities | None = None

    def __call__(self) -> Authorities:
        """Blocks. Raises Unavailable while the files cannot be understood: no evidence is taken then."""
        with self._lock:
            state = tuple(map(_state, self._files))
            if state != self._seen:
                self._seen, self._read = state, self._load()
            if self._read is None:
                raise Unavailable("evidence", "the law's issuers or revocations cannot be read")
            return self._read

    def _load(self) -> Authorities | None:
        try:
            return read_authorities(*map(_document, self._files))
        except (OSError, ValueError, RecursionError, FailedPrecondition) as error:
            _log.error("evidence: %s", error)
            return None


_NAMES = ("issuers", "revocations")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _document(path: Path) -> Any:
    """Empty where there is no such file: then nobody issues, or nothing was revoked."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}
