"""Reads a folder of policies into one law: its Rego modules, its data, and their digest."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beholden.core.errors import FailedPrecondition
from beholden.core.law import Json

ENTRYPOINT = "usage/decision"
EXPLANATION = "usage/explanation"
ROOTS = ("usage", "law", "regimes")
RULES = ("usage", "rules")


@dataclass(frozen=True, slots=True)
class Law:
    """What an engine needs: `modules` by path, `data` as one document, and what to call it.

    `revision` is the manifest's where it has one, else a digest of modules and data.
    """

    modules: Mapping[str, str]
    data: Mapping[str, Json]
    revision: str

    @property
    def explains(self) -> bool:
        """Whether it has the second entrypoint, which an operator's own law may lack."""
        return f"{EXPLANATION}.rego" in self.modules

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rule packages, each a folder under usage/rules."""
        parts = (Path(path).parts for path in self.modules)
        return tuple(sorted({part[2] for part in parts if part[:2] == RULES and len(part) > 3}))


def load_law(folder: Path) -> Law:
    """Reads every module and every data.json under the manifest's roots, tests left out.

    A data file's place is its path: law/kinds/data.json is `data.law.kinds`. Raises
    FailedPrecondition, naming the file, for what cannot be read, says a key twice, or overlaps.
    """
    try:
        manifest = _manifest(folder)
        modules: dict[str, str] = {}
        data: dict[str, Any] = {}
        for root in ROOTS:
            for path in sorted((folder / root).rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.name == "data.json":
                    _graft(data, path.relative_to(folder).parent.parts, _json(path))
                elif path.suffix == ".rego" and not path.stem.endswith("_test"):
                    modules[name] = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise FailedPrecondition(
            f"the policies in {folder} cannot be read: {error}", remedy="correct them"
        ) from error
    if not modules:
        raise FailedPrecondition(
            f"there are no policies in {folder}", remedy="name a folder with usage/ and law/"
        )
    return Law(modules, data, str(manifest.get("revision") or digest(modules, data)))


def digest(modules: Mapping[str, str], data: Mapping[str, Json]) -> str:
    """A name for this very law: 16 hex digits of the SHA-256 of its canonical JSON."""
    text = json.dumps([dict(modules), data], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_bundle(law: Law, path: Path, signatures: str = "") -> None:
    """Writes the law as an OPA bundle whose manifest names its revision; same law, same bytes.

    `signatures` is the text of its .signatures.json, where it is signed.
    """
    files = bundle_files(law) | ({".signatures.json": signatures} if signatures else {})
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as bundle,
    ):
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"/{name}")
            entry.size = len(content)
            bundle.addfile(entry, io.BytesIO(content))


def bundle_files(law: Law) -> dict[str, str]:
    """What a bundle holds, by path."""
    manifest = {"revision": law.revision, "roots": list(ROOTS), "rego_version": 1}
    return {".manifest": json.dumps(manifest), "data.json": json.dumps(law.data), **law.modules}


def _manifest(folder: Path) -> dict[str, Any]:
    manifest = _json(folder / ".manifest")
    if not isinstance(manifest, dict) or manifest.get("rego_version") != 1:
        raise ValueError('.manifest must say "rego_version": 1')
    if sorted(manifest.get("roots", [])) != sorted(ROOTS):
        raise ValueError(f".manifest must have the roots {', '.join(ROOTS)}")
    return manifest


def _json(path: Path) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is said twice")
        return dict(pairs)

    def never(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(path.read_text("utf-8"), object_pairs_hook=once, parse_constant=never)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _graft(data: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    """Puts a file's value into the document, beside what other files put there."""
    where = f"{'/'.join(place)}/data.json"
    *above, last = place
    inner: Any = data
    for name in above:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{where} lies within another file's value")  # noqa: TRY004
    there = inner.setdefault(last, {})
    if there == {}:
        inner[last] = value
    elif isinstance(value, dict) and isinstance(there, dict) and not value.keys() & there.keys():
        there.update(value)
    else:
        raise ValueError(f"{where} says again what another file says")
