"""Where a laid-out model came from: `provenance.json` beside it, which Triton passes over."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from beholden.catalog.entries import ModelEntry, PinnedFile

FILE = "provenance.json"


class Provenance(BaseModel):
    """What was fetched, from where, under which licence, what made the ONNX file, and every digest.

    `origin` are the fetched files; `files` maps each laid-out path to its SHA-256.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    licence: str
    source: str
    converter: str
    origin: tuple[PinnedFile, ...]
    files: dict[str, str]

    def describes(self, entry: ModelEntry) -> bool:
        """Whether it was made as `entry` now says: same version, same converter, same upstream files."""
        same = (self.name, self.version, self.converter) == (
            entry.name,
            entry.version,
            entry.converter,
        )
        return same and self.origin in {entry.files_from(source) for source in entry.sources}

    def write(self, folder: Path) -> None:
        """Put it into the model's `folder`."""
        (folder / FILE).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Provenance | None:
        """What lies in the model's `folder`, or None where nothing readable does."""
        try:
            return cls.model_validate_json((folder / FILE).read_bytes())
        except (OSError, ValidationError):
            return None
