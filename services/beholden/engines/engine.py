"""What every engine's file offers to those that install and list them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from beholden.core.errors import FailedPrecondition


@dataclass(frozen=True, slots=True)
class Found:
    """An engine that is on this machine."""

    version: str
    path: Path


class Engine(Protocol):
    """One engine, looked for and installed under the folder that it was made with."""

    name: str
    """What `beholden engines install` calls it."""

    title: str
    """Its own name."""

    pinned: str
    """The version that is installed, or the oldest that is taken."""

    twin: str
    """The embedded engine that stands in where it is not there."""

    def find(self) -> Found | None:
        """Where it is, or None."""
        ...

    def install(self) -> Found:
        """Puts it there; one that is found already is left as it is.

        Raises FailedPrecondition: why it cannot be had here, and what would help.
        """
        ...


def missing(engine: Engine) -> FailedPrecondition:
    """What is raised where an engine is needed that is not there."""
    return FailedPrecondition(
        f"{engine.title} is not installed", remedy=f"run: beholden engines install {engine.name}"
    )
