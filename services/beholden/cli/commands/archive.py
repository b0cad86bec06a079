"""`beholden ledger export | backup | prune`: the ledger carried elsewhere, and dropped in time."""

from __future__ import annotations

import shutil
import sys
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from beholden.cli import offline
from beholden.cli.configured import settings
from beholden.cli.failures import Failure
from beholden.cli.options import Place
from beholden.cli.session import session
from beholden.cli.words import at, counted, safe

if TYPE_CHECKING:
    from beholden.ledger.archive import Archive

_DAY = 24 * 3600


class Format(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    PARQUET = "parquet"


def export(
    context: typer.Context,
    out: Annotated[
        Path, typer.Argument(help="A new file, or a new folder for Parquet; - is stdout.")
    ],
    format: Annotated[
        Format, typer.Option(help="JSON Lines in one file, or Parquet in a folder of four.")
    ] = Format.JSONL,
    ledger: Place = "",
) -> None:
    """Write the whole ledger out as of now; the export is verified as the ledger is."""
    here = session(context)
    if str(out) == "-":
        if format is not Format.JSONL:
            raise typer.BadParameter("only JSON Lines go to stdout", param_hint="--format")
        with offline.archive(ledger) as archive:
            archive.to_json_lines(sys.stdout, lambda done, total: None)
        return
    if out.exists():
        raise Failure(f"{out} is there already", "ALREADY_EXISTS", hint="name another place")
    # Under another name until it is whole, so that nobody takes half an export for one.
    part = out.with_name(f"{out.name}.part")
    try:
        with (
            offline.archive(ledger) as archive,
            offline.progress(here.output, "exporting") as progress,
        ):
            entries = _write(archive, part, format, progress)
        part.rename(out)
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror}") from None
    finally:
        _remove(part)
    here.output.document({"out": str(out), "format": format.value, "entries": entries})
    here.output.show(f"{counted(entries, 'entry', 'entries')} in {safe(out)}")
    here.output.note(f"check it: beholden ledger verify --ledger {out} --key PUBLIC.pem")


def backup(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The copy to write, a new file.")],
    ledger: Annotated[
        str,
        typer.Option(metavar="URL", help="The ledger's URL; BEHOLDEN_LEDGER_URL if absent."),
    ] = "",
) -> None:
    """Copy a ledger in SQLite while the server runs, with reviews, notices and videos' results.

    Put in the ledger's place, the copy is the ledger. What is encrypted in it opens with the keys
    it was written with alone: keep those too, elsewhere. For PostgreSQL take pg_dump.
    """
    from beholden.ledger.backup import backup as copy

    here = session(context)
    try:
        with offline.failures():
            copy(ledger or settings().ledger_url, out)
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror}") from None
    size = out.stat().st_size
    here.output.document({"out": str(out), "bytes": size})
    here.output.show(f"{size / 1e6:,.1f} MB in {safe(out)}")
    here.output.note(f"check it: beholden ledger verify --ledger sqlite:///{out}")


def prune(
    context: typer.Context,
    before: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Drop what is older; UTC."),
    ] = None,
    keep_days: Annotated[
        int | None, typer.Option(min=0, metavar="DAYS", help="Drop what is older than this.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    ledger: Place = "",
) -> None:
    """Drop old records for good, so that the rest of the ledger still verifies.

    Only whole checkpoints are dropped; a new one, signed with the ledger's key, says so. A ledger
    that does not hold is left as it is.
    """
    from beholden.ledger.keys import TrustedKeys, read_public, read_signer

    here = session(context)
    moment = _moment(before, keep_days)
    chosen = settings().ledger
    with offline.failures():
        signer = read_signer(chosen.key_file)
        keys = TrustedKeys([signer.public, *read_public(chosen.trusted_keys)])
    if ledger and "://" not in ledger:
        raise typer.BadParameter("an export is not pruned, a ledger is", param_hint="--ledger")
    here.output.confirm(f"Drop every record from before {at(moment)} for good?", yes)
    with (
        offline.archive(ledger) as archive,
        offline.progress(here.output, "verifying") as progress,
    ):
        checkpoint, dropped = archive.prune(signer, keys, int(moment * 1e9), progress)
    upto = checkpoint.dropped if checkpoint else 0
    here.output.document({"dropped": dropped, "upto_checkpoint": upto})
    here.output.show(
        f"dropped {counted(dropped, 'record')}, up to checkpoint {upto}"
        if dropped
        else "nothing is that old"
    )


def _moment(before: datetime | None, keep_days: int | None) -> float:
    if (before is None) == (keep_days is None):
        raise typer.BadParameter("say either", param_hint="--before or --keep-days")
    if before is not None:
        return before.replace(tzinfo=UTC).timestamp()
    assert keep_days is not None
    return time.time() - keep_days * _DAY


def _write(archive: Archive, part: Path, format: Format, progress: offline.Progress) -> int:
    if format is Format.PARQUET:
        return archive.to_parquet(part, progress)
    file: IO[str]
    with part.open("w", encoding="ascii") as file:
        return archive.to_json_lines(file, progress)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)
