"""Finds the files that travel with the code: the wheel's own, or the checkout's."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def resource(name: str) -> Path:
    """The folder `policies`, `models` or `protos`. Raises FileNotFoundError when neither place has it."""
    for place in (_PACKAGE / "resources" / name, _PACKAGE.parent.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{name}/ is neither in the package nor in a checkout around it")
