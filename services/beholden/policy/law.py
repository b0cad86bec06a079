"""Reads a folder of policies into one law: its Rego modules, its data, and their digest."""

from __future__ import annotations

import hashlib
import json
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
MANIFEST = ".manifest"
DATA = "data.json"


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
        return law_of(
            {
                path.relative_to(folder).as_posix(): path.read_text("utf-8")
                for path in law_files(folder)
            }
        )
    except (OSError, ValueError) as error:
        raise FailedPrecondition(
            f"the policies in {folder} cannot be read: {error}", remedy="correct them"
        ) from error


def law_files(folder: Path) -> list[Path]:
    """The files that a folder's law is made of: its manifest, and modules and data under the roots."""
    found = [path for root in ROOTS for path in sorted((folder / root).rglob("*"))]
    return [
        folder / MANIFEST,
        *(
            path
            for path in found
            if path.name == DATA or (path.suffix == ".rego" and not path.stem.endswith("_test"))
        ),
    ]


def law_of(files: Mapping[str, str]) -> Law:
    """The law in files by path. Raises ValueError, naming the file, as `load_law` does."""
    manifest = _manifest(_json(MANIFEST, files.get(MANIFEST, "null")))
    modules = {name: text for name, text in files.items() if name.endswith(".rego")}
    data: dict[str, Any] = {}
    for name, text in files.items():
        *place, file = name.split("/")
        if file == DATA:
            _graft(data, tuple(place), _json(name, text))
    if not modules:
        raise ValueError("there is no policy; they lie in usage/")
    return Law(modules, data, str(manifest.get("revision") or digest(modules, data)))


def digest(modules: Mapping[str, str], data: Mapping[str, Json]) -> str:
    """A name for this very law: 16 hex digits of the SHA-256 of its canonical JSON."""
    text = json.dumps([dict(modules), data], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _manifest(manifest: Any) -> dict[str, Any]:
    if not isinstance(manifest, dict) or manifest.get("rego_version") != 1:
        raise ValueError('.manifest must say "rego_version": 1')
    if sorted(manifest.get("roots", [])) != sorted(ROOTS):
        raise ValueError(f".manifest must have the roots {', '.join(ROOTS)}")
    return manifest


def _json(name: str, text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))} is said twice")
        return dict(pairs)

    def never(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=never)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _graft(data: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    """Puts a file's value into the document, beside what other files put there."""
    where = "/".join((*place, DATA))
    # A document to hang even the root in, which is where a bundle has all of its data.
    *above, last = ("", *place)
    whole = {"": data}
    inner: Any = whole
    for name in above:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{where} lies within another file's value")  # noqa: TRY004
    there = inner.setdefault(last, {})
    if there == {} and place:
        inner[last] = value
    elif isinstance(value, dict) and isinstance(there, dict) and not value.keys() & there.keys():
        there.update(value)
    else:
        raise ValueError(f"{where} says again what another file says")
