"""Encrypts what waits in the database, with a key that does not lie in it: AES-256-GCM."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from beholden.core.errors import FailedPrecondition
from beholden.ledger.keys import create_file, read_file

_KEY_BYTES = 32
_NONCE_BYTES = 12


class SealedBox:
    """`label` says what a content belongs to; it opens under no other."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, content: bytes, label: str) -> bytes:
        """A random nonce, and the ciphertext after it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, label.encode())

    def open(self, sealed: bytes, label: str) -> bytes:
        """Raises FailedPrecondition for what was changed, moved, or sealed with another key."""
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label.encode()
            )
        except (InvalidTag, ValueError):
            raise FailedPrecondition(
                "the withheld answer was changed, or encrypted with another key"
            ) from None


def open_box(path: Path) -> SealedBox:
    """The box of the key in a file; where there is none, one is made that only the owner may read.

    Raises FailedPrecondition for a file that cannot be read or made, or holds no such key.
    """
    create_file(path, lambda: base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
    try:
        key = base64.b64decode(read_file(path).strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise FailedPrecondition(f"{path} holds no key of {_KEY_BYTES} bytes in base64")
    return SealedBox(key)
