"""Reads a ledger itself, or an export of one, for when no server runs or the server is not to be believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from beholden.cli.configured import settings
from beholden.cli.failures import Failure
from beholden.core.errors import BeholdenError, InvalidArgument, NotFound
from beholden.v1 import governance_pb2
from beholden.wire.ledger import ledger_record, verification

if TYPE_CHECKING:
    from beholden.cli.output import Output
    from beholden.ledger.archive import Archive
    from beholden.ledger.keys import TrustedKeys

Progress = Callable[[int, int], None]

_SHOWN_EACH = 500


def verify(
    place: str, keys: Sequence[Path], known: Mapping[int, str], progress: Progress
) -> governance_pb2.VerifyLedgerResponse:
    """Whether the ledger or export at `place` holds, by those keys. Raises Failure."""
    with archive(place) as opened:
        return verification(opened.verify(trusted(keys), progress, known))


def page(
    place: str, tenant: str, request: governance_pb2.ListDecisionsRequest
) -> governance_pb2.ListDecisionsResponse:
    """One page of a tenant's decisions in the ledger or export at `place`. Raises Failure."""
    with archive(place) as opened:
        found = opened.list(
            tenant,
            page_size=request.page_size,
            page_token=request.page_token,
            denied_only=request.denied_only,
        )
    return governance_pb2.ListDecisionsResponse(
        records=map(ledger_record, found.items), next_page_token=found.next_token
    )


@contextmanager
def archive(place: str) -> Iterator[Archive]:
    """The ledger or export at `place`, the configured ledger where that is empty. Raises Failure."""
    from beholden.ledger.archive import open_archive

    chosen = settings()
    with failures(), open_archive(place or chosen.ledger_url, chosen.ledger) as opened:
        yield opened


def trusted(keys: Sequence[Path]) -> TrustedKeys:
    """The keys in these files; without any, those that the server here signs with and believes.

    Raises Failure where there is none.
    """
    from beholden.ledger.keys import TrustedKeys, read_public

    chosen = settings().ledger
    here = [path for path in (chosen.key_file, *chosen.trusted_keys) if path.is_file()]
    if not keys and not here:
        raise Failure(
            f"the ledger's key {chosen.key_file} is not here",
            "NOT_FOUND",
            hint="name the public key with --key, as `beholden ledger key` prints it",
        )
    with failures():
        return TrustedKeys(read_public(keys or here))


@contextmanager
def failures() -> Iterator[None]:
    """Errors of the ledger as this command's failures."""
    try:
        yield
    except BeholdenError as error:
        status = {InvalidArgument: "INVALID_ARGUMENT", NotFound: "NOT_FOUND"}
        hint = getattr(error, "remedy", "")
        said = error.message.removesuffix(f"; {hint}")
        raise Failure(said, status.get(type(error), "FAILED"), hint=hint) from None


@contextmanager
def progress(output: Output, title: str) -> Iterator[Progress]:
    """A bar that follows work which tells each step that it makes."""
    with output.progress(rate=True) as bar:
        task = bar.add_task(title, total=None)

        def tell(done: int, total: int) -> None:
            if done % _SHOWN_EACH == 0 or done == total:
                bar.update(task, completed=done, total=total)

        yield tell
