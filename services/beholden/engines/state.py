"""What `beholden up` started, kept in a file so that `status` and `down` know it again."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from beholden.core.errors import FailedPrecondition
from beholden.engines.process import Identity

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One unit that was started. `health` may hold a password, `digest` is of what it was started with."""

    name: str
    kind: str
    process: Identity
    address: str
    health: str
    stop: int
    digest: str
    log: str
    leaves: str = ""


class State:
    """The records in `folder`, in the order in which they were started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "state.json"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Holds the folder. Raises FailedPrecondition while another process does."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FailedPrecondition(
                    f"another beholden up or down is at work in {self._folder}",
                    remedy="wait for it",
                ) from None
            yield

    def read(self) -> dict[str, Record]:
        """By name; empty when nothing was started. Raises FailedPrecondition for a file of another make."""
        try:
            document = json.loads(self._file.read_text())
            if document["version"] != _VERSION:
                raise ValueError(f"version {document['version']}")
            records = [
                Record(**{**item, "process": Identity(**item["process"])})
                for item in document["units"]
            ]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise FailedPrecondition(
                f"{self._file} cannot be understood: {error}",
                remedy="end what it names by hand, then delete it",
            ) from error
        return {record.name: record for record in records}

    def write(self, records: Mapping[str, Record]) -> None:
        """In one move, for the owner's eyes only; the file goes when there is nothing to say."""
        if not records:
            self._file.unlink(missing_ok=True)
            return
        document = {"version": _VERSION, "units": [asdict(record) for record in records.values()]}
        fresh = self._file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(document, file, indent=1)
        fresh.replace(self._file)


def how(record: Record) -> signal.Signals:
    """The signal that ends it well."""
    return signal.Signals(record.stop)
