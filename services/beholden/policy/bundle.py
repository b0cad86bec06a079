"""The law as an OPA bundle: one file that names its revision, signed where the operator has a key."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from pathlib import Path

from beholden.core.errors import FailedPrecondition
from beholden.policy.law import DATA, MANIFEST, ROOTS, Law, law_of
from beholden.policy.signing import SIGNATURES, VerificationKey, verify

_MOST_BYTES = 64 * 1024 * 1024


def bundle_files(law: Law) -> dict[str, str]:
    """What a bundle holds, by path."""
    manifest = {"revision": law.revision, "roots": list(ROOTS), "rego_version": 1}
    return {MANIFEST: json.dumps(manifest), DATA: json.dumps(law.data), **law.modules}


def bundle_bytes(law: Law, signatures: str = "") -> bytes:
    """The bundle; same law and signatures, same bytes.

    `signatures` is the text of its .signatures.json, where it is signed.
    """
    files = bundle_files(law) | ({SIGNATURES: signatures} if signatures else {})
    return _packed(files)


def write_bundle(law: Law, path: Path, signatures: str = "") -> None:
    """Writes `bundle_bytes` to `path`."""
    path.write_bytes(bundle_bytes(law, signatures))


def read_bundle(path: Path, key: VerificationKey | None = None) -> Law:
    """The law in a bundle; with a key only where it signed every file of it.

    Raises FailedPrecondition.
    """
    try:
        files = unpacked(path.read_bytes())
        signatures = files.pop(SIGNATURES, "")
        if key is not None:
            verify(files, signatures, key)
        return law_of(files)
    except (OSError, ValueError, EOFError, zlib.error, tarfile.TarError) as error:
        raise FailedPrecondition(
            f"the bundle {path} cannot be read: {error}",
            remedy="write it with `beholden policy bundle`",
        ) from error


def unpacked(content: bytes) -> dict[str, str]:
    """A bundle's files by path. Raises ValueError, OSError, EOFError, zlib.error or TarError."""
    with gzip.open(io.BytesIO(content)) as packed:
        plain = packed.read(_MOST_BYTES + 1)
    if len(plain) > _MOST_BYTES:
        raise ValueError(f"it holds more than {_MOST_BYTES} bytes")
    files: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(plain)) as bundle:
        for entry in bundle:
            name = entry.name.removeprefix("./").lstrip("/")
            if not entry.isfile():
                continue
            if name in files:
                raise ValueError(f"{name} is in it twice")
            file = bundle.extractfile(entry)
            assert file is not None
            files[name] = file.read().decode("utf-8")
    return files


def _packed(files: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as bundle,
    ):
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"/{name}")
            entry.size = len(content)
            bundle.addfile(entry, io.BytesIO(content))
    return file.getvalue()
