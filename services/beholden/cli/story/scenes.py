"""What the demo tells: seven scenes, each a few sentences and the commands that anyone could type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from beholden.cli.failures import ExitCode
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, MODERATOR

_RECOGNITION = (FACE_DETECTOR, FACE_EMBEDDER)


@dataclass(frozen=True, slots=True)
class Scene:
    """`commands` are shown and run, after `before`, which is only run.

    `ends` is the exit code that each command must end with; `needs` are the models' roles without
    which the scene cannot be played.
    """

    title: str
    says: str
    commands: tuple[tuple[str, ...], ...]
    before: tuple[tuple[str, ...], ...] = ()
    ends: ExitCode = ExitCode.OK
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where the story's files are.

    The picture it is about, the same face disguised, the folder that is indexed, the folder that
    annotated pictures go to, and the edited copy of the ledger.
    """

    hero: Path
    disguised: Path
    archive: Path
    out: Path
    forged: Path


def opening(at: Places) -> Iterator[Scene]:
    """The scenes before the ledger is looked at."""
    herald = ("--as", "daily-herald", "--purpose", "editorial_research")
    police = ("--as", "metro-police", "--purpose", "criminal_investigation")
    finders = ("--as", "find-the-lost", "--purpose", "victim_identification")
    probe, archive = str(at.disguised), str(at.archive)
    yield Scene(
        "What is in the picture",
        "Finding faces says where they are, not whose.",
        ((*herald[:2], "detect", str(at.hero), "--draw", str(at.out / "1-faces.png")),),
        needs=(FACE_DETECTOR,),
    )
    yield Scene(
        "A newsroom keeps an archive and finds a face again",
        "The probe is mirrored, turned, half as large, darker and hard compressed.",
        (
            (*herald[:2], "collections", "create", "archive"),
            (*herald, "index", "archive", archive, "--source", "picture desk", "--legal-basis",
             "press law", "--every-face"),
            (*herald, "search", "archive", probe, "--draw", str(at.out / "2-found.png")),
        ),
        needs=_RECOGNITION,
    )  # fmt: skip
    yield Scene(
        "A police department asks the same",
        "Refused before the picture is decoded: no face was looked for, none was compared.",
        ((*police, "search", "archive", probe),),
        ends=ExitCode.REFUSED,
    )
    yield Scene(
        "An organisation that looks for victims is exempt, and bound",
        "What the law asks of it, and then the search.",
        (
            (*finders, "explain", "face.search_by_image"),
            (*finders, "search", "missing", probe, "--draw", str(at.out / "4-found.png")),
        ),
        before=(
            (*finders, "collections", "create", "missing"),
            (*finders, "index", "missing", archive, "--source", "families", "--legal-basis",
             "missing-person reports", "--every-face"),
        ),
        needs=_RECOGNITION,
    )  # fmt: skip
    yield Scene(
        "A platform asks whether a picture may be shown",
        "",
        (
            ("--as", "acme-platform", "--purpose", "content_safety", "moderate", str(at.hero),
             "--draw", str(at.out / "5-verdict.png")),
        ),
        needs=(MODERATOR,),
    )  # fmt: skip


def closing(at: Places) -> Iterator[Scene]:
    """The scenes about the ledger; `at.forged` must be there."""
    yield Scene(
        "Everything was written down before it was answered",
        "Each entry holds the hash of the one before it.",
        (("--as", "beholden-ops", "--role", "auditor", "ledger", "verify"),),
    )
    yield Scene(
        "Somebody edits a copy of the ledger, so that the refusal was none",
        "One value of one row, by hand.",
        (("ledger", "verify", "--ledger", f"sqlite:///{at.forged}"),),
        ends=ExitCode.FAILED,
    )
