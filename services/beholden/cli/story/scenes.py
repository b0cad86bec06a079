"""What the demo tells: seven scenes, each a sentence and the commands that anyone could type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from beholden.cli.failures import ExitCode
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, MODERATOR

_REFUSED = re.compile(r'("allowed": ?)false')
_RECOGNITION = (FACE_DETECTOR, FACE_EMBEDDER)


@dataclass(frozen=True, slots=True)
class Scene:
    """`commands` are shown and run, after `before`, which is only run.

    `ends` is the exit code that the commands must end with; `needs` are the models' roles without
    which the scene cannot be played.
    """

    title: str
    commands: tuple[tuple[str, ...], ...]
    says: str = ""
    before: tuple[tuple[str, ...], ...] = ()
    ends: ExitCode = ExitCode.OK
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """The picture that the story is about, the same face disguised, the folder that is indexed, the
    folder for annotated pictures, and where the ledger is exported to.
    """  # noqa: D205

    hero: Path
    disguised: Path
    photos: Path
    out: Path
    export: Path


def story(at: Places) -> Iterator[Scene]:
    """Scene after scene; the export is forged once the last but one has been played."""
    herald = ("--as", "daily-herald", "--purpose", "editorial_research")
    police = ("--as", "metro-police", "--purpose", "criminal_investigation")
    finders = ("--as", "find-the-lost", "--purpose", "victim_identification")
    platform = ("--as", "acme-platform", "--purpose", "content_safety")
    hero, probe, photos = str(at.hero), str(at.disguised), str(at.photos)

    def drawn(name: str) -> tuple[str, str]:
        return "--draw", str(at.out / name)

    def enrolled(collection: str, source: str, basis: str) -> tuple[str, ...]:
        past = ("--source", source, "--legal-basis", basis)
        return "index", collection, photos, *past, "--every-face"

    yield Scene(
        "What is in the picture: where faces are, not whose",
        ((*herald[:2], "detect", hero, *drawn("1-faces.png")),),
        needs=(FACE_DETECTOR,),
    )
    yield Scene(
        "A newsroom keeps an archive, and finds a face again",
        says="Searched with the same face mirrored, turned, halved, darkened, compressed.",
        commands=(
            (*herald, *enrolled("archive", "picture desk", "press law")),
            (*herald, "search", "archive", probe, *drawn("2-found.png")),
        ),
        before=((*herald, "collections", "create", "archive"),),
        needs=_RECOGNITION,
    )
    yield Scene(
        "A police department asks the same",
        says="Refused before the picture was decoded: no face was looked for, none compared.",
        commands=((*police, "search", "archive", probe),),
        ends=ExitCode.REFUSED,
    )
    yield Scene(
        "An organisation that looks for victims is exempt, and bound",
        (
            (*finders, "explain", "face.search_by_image"),
            (*finders, "search", "missing", probe, *drawn("4-found.png")),
        ),
        before=(
            (*finders, "collections", "create", "missing"),
            (*finders, *enrolled("missing", "families", "missing-person reports")),
        ),
        needs=_RECOGNITION,
    )
    yield Scene(
        "A platform asks whether the picture may be shown",
        says="Silence is not safety: only what the model was trained on is told.",
        commands=((*platform, "moderate", hero, *drawn("5-verdict.png")),),
        needs=(MODERATOR,),
    )
    yield Scene(
        "Every decision was written down before its answer left",
        (
            ("--as", "beholden-ops", "--role", "auditor", "ledger", "verify"),
            ("ledger", "export", str(at.export)),
        ),
    )
    forge(at.export)
    yield Scene(
        "Somebody edits the export: the refusal never was",
        (("ledger", "verify", "--ledger", str(at.export)),),
        ends=ExitCode.FAILED,
    )


def forge(export: Path) -> None:
    """Makes an allowed call of the first refusal in an export."""
    lines = export.read_text("utf-8").splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if _REFUSED.search(line))
    lines[first] = _REFUSED.sub(r"\1true", lines[first], count=1)
    export.write_text("".join(lines), "utf-8")
