"""Signed evidence as it lies in a file, to be shown with a call."""

from __future__ import annotations

from pathlib import Path

from beholden.cli.failures import Failure

_MOST_BYTES = 8192


def read_token(file: Path) -> str:
    """The token in a file, less line ends. Raises Failure."""
    try:
        with file.open(encoding="ascii") as opened:
            token = opened.read(_MOST_BYTES + 2).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"cannot read evidence from {file}: {error}", "INVALID_ARGUMENT") from None
    if not token or len(token) > _MOST_BYTES or not token.isprintable():
        raise Failure(f"{file} holds no signed JSON Web Token", "INVALID_ARGUMENT")
    return token
