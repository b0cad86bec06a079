"""What an earlier run has finished, kept in a file so that a later one sends it no more."""

from __future__ import annotations

import hashlib
from pathlib import Path

from beholden.cli.failures import Failure
from beholden.client.closing import Closing


class Journal(Closing):
    """A digest of each finished item, one a line; without a path it keeps nothing and knows nothing."""

    def __init__(self, path: Path | None, scope: str) -> None:
        """`scope` is what the items are sent to: the same file done there is not done elsewhere."""
        self._scope = scope
        self._done: set[str] = set()
        self._file = None
        if path is None:
            return
        try:
            if path.exists():
                self._done = set(path.read_text("ascii").split())
            self._file = path.open("a", encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(
                f"{path}: cannot be used to resume: {error}", "INVALID_ARGUMENT"
            ) from None

    def __contains__(self, label: str) -> bool:
        return bool(self._done) and self._digest(label) in self._done

    def add(self, label: str) -> None:
        """Kept at once, so that a run that is killed has lost nothing."""
        if self._file is not None:
            self._file.write(self._digest(label) + "\n")
            self._file.flush()

    def _digest(self, label: str) -> str:
        return hashlib.sha256(f"{self._scope}\n{label}".encode()).hexdigest()[:32]

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()
