"""Where redacted pictures go, and what became of many of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beholden.cli import many, pictures
from beholden.cli.failures import Failure
from beholden.cli.output import as_document
from beholden.cli.words import counted
from beholden.client.answers import Answer
from beholden.v1 import detection_pb2, redaction_pb2

Response = detection_pb2.RedactImageResponse
Result = Answer[Response] | Failure

_SUFFIXES = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",)}
_NAMES = {
    redaction_pb2.REDACTION_KIND_FACE: ("face", "faces"),
    redaction_pb2.REDACTION_KIND_TEXT: ("line of text", "lines of text"),
    redaction_pb2.REDACTION_KIND_UNSAFE: ("unsafe region", "unsafe regions"),
}


@dataclass
class Tally(many.Tally[Response]):
    """Counts what was hidden by kind, pictures hidden whole, and those where nothing was found."""

    hidden: Counter[int] = field(default_factory=Counter)
    whole: int = 0
    untouched: int = 0

    def count(self, response: Response) -> None:
        """Counts what one answer has."""
        found = response.redactions
        self.hidden.update(one.kind for one in found if not one.whole_image)
        self.whole += any(one.whole_image for one in found)
        self.untouched += not found

    def said(self) -> str:
        """What was hidden, in words."""
        parts = [
            counted(self.hidden[kind], *names)
            for kind, names in _NAMES.items()
            if self.hidden[kind]
        ]
        if self.whole:
            parts.append(counted(self.whole, "whole picture"))
        return ", ".join(parts) or "nothing"


def places(source: Path, out: Path) -> dict[Path, Path]:
    """Which picture goes where: a file to a file or into a folder, a folder's to a folder as they lie.

    Raises:
        Failure: there are none, or `out` would overwrite them or lie among them.
    """
    if source.is_dir():
        if out.resolve().is_relative_to(source.resolve()):
            raise _wrong(f"{out} lies in {source}: name a folder elsewhere")
        if out.exists() and not out.is_dir():
            raise _wrong(f"{out} is no folder, and {source} is one")
        found = pictures.find([source])
        if not found:
            raise _wrong(f"no pictures in {source}")
        return {file: out / file.relative_to(source) for file in found}
    target = out / source.name if out.is_dir() else out
    if target.exists() and source.exists() and target.samefile(source):
        raise _wrong(f"{target} is the picture itself, which would be lost: name another file")
    return {source: target}


def write(answer: Response, place: Path) -> None:
    """Puts the redacted picture at `place`, whole or not at all.

    Raises:
        Failure: it cannot be written, or its name says that it is of another format.
    """
    suffixes = _SUFFIXES[answer.mime_type]
    if place.suffix.lower() in pictures.SUFFIXES.difference(suffixes):
        raise _wrong(
            f"{place}: the picture stays what it is, so its name must end in {suffixes[0]}"
        )
    # Under another name until it is whole, so that nobody takes half a picture for one.
    part = place.with_name(f".{place.name}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(answer.content)
        part.replace(place)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise _wrong(f"cannot write {place}: {error.strerror}") from None


def document(file: Path, place: Path, result: Result) -> Mapping[str, Any]:
    """One picture's line for programs: everything but the picture."""
    if isinstance(result, Failure):
        return {"file": str(file), **result.document()}
    told = Response()
    told.CopyFrom(result.message)
    told.ClearField("content")
    said = as_document(told, decision_id=result.decision_id)
    said.pop("content")
    return {"file": str(file), "out": str(place), **said}


def _wrong(message: str) -> Failure:
    return Failure(message, "INVALID_ARGUMENT")
