"""The Ed25519 keys that checkpoints are signed and checked with, as PEM files."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from beholden.core.errors import FailedPrecondition

_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)
_PUBLIC = b"PUBLIC KEY"


class Signer:
    """A private key. `id` is its public key's."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.id = key_id(key.public_key())

    @property
    def public(self) -> Ed25519PublicKey:
        """What its signatures are checked with."""
        return self._key.public_key()

    def sign(self, payload: bytes) -> str:
        """The signature, as hex."""
        return self._key.sign(payload).hex()


class TrustedKeys:
    """Public keys by their ids."""

    def __init__(self, keys: Iterable[Ed25519PublicKey] = ()) -> None:
        self._keys: Mapping[str, Ed25519PublicKey] = {key_id(key): key for key in keys}

    def __contains__(self, id: object) -> bool:
        return id in self._keys

    def signed(self, id: str, payload: bytes, signature: str) -> bool:
        """Whether the key of that id made the signature (hex); never for a key that is not here."""
        key = self._keys.get(id)
        if key is None:
            return False
        try:
            key.verify(bytes.fromhex(signature), payload)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, as hex."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def public_pem(key: Ed25519PublicKey) -> str:
    """The public key as PEM, to be given to whoever shall check."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def open_signer(path: Path) -> Signer:
    """The private key in a file; where there is none, one is made that only the owner may read.

    Raises FailedPrecondition for a file that cannot be read or made, or holds no such key.
    """
    create_file(path, _new_key)
    return read_signer(path)


def read_signer(path: Path) -> Signer:
    """The private key in a PEM file. Raises FailedPrecondition."""
    try:
        key = load_pem_private_key(read_file(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise FailedPrecondition(
            f"{path} holds no Ed25519 private key in PEM",
            remedy="make one: openssl genpkey -algorithm ed25519",
        )
    return Signer(key)


def read_public(paths: Iterable[Path]) -> list[Ed25519PublicKey]:
    """Every key in PEM files, of a private one its public half. Raises FailedPrecondition."""
    return [key for path in paths for key in _public_of(path)]


def _public_of(path: Path) -> list[Ed25519PublicKey]:
    found = []
    for block in _BLOCK.finditer(read_file(path)):
        try:
            key = (
                load_pem_public_key(block[0])
                if block[1] == _PUBLIC
                else load_pem_private_key(block[0], None)
            )
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, Ed25519PrivateKey):
            key = key.public_key()
        if isinstance(key, Ed25519PublicKey):
            found.append(key)
    if not found:
        raise FailedPrecondition(f"{path} holds no Ed25519 key in PEM")
    return found


def create_file(path: Path, content: Callable[[], bytes]) -> None:
    """Makes a file that only the owner may read, unless it is there. Raises FailedPrecondition."""
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, so that a process that starts beside this one never reads half a key.
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content())
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process was first
                os.link(made, path)
        finally:
            Path(made).unlink()
    except OSError as error:
        raise FailedPrecondition(f"the key {path} cannot be made: {error.strerror}") from error


def read_file(path: Path) -> bytes:
    """A key file's content. Raises FailedPrecondition."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FailedPrecondition(f"the key {path} cannot be read: {error.strerror}") from error


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
