"""The ledger at rest, for whoever verifies, exports, proves or prunes it without a server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError

from beholden.core.errors import FailedPrecondition
from beholden.core.gallery import Page
from beholden.core.notice import Notice
from beholden.core.record import Entry, Verification
from beholden.ledger.audit import Audit, Progress
from beholden.ledger.checkpoint import Checkpoint
from beholden.ledger.database import Database, connect, unavailable
from beholden.ledger.export import to_json_lines, to_parquet
from beholden.ledger.exported import load
from beholden.ledger.keys import Signer, TrustedKeys
from beholden.ledger.listing import list_entries
from beholden.ledger.outbox import read_notices
from beholden.ledger.proof import Proof
from beholden.ledger.proving import prove
from beholden.ledger.retention import prune
from beholden.ledger.settings import LedgerSettings

T = TypeVar("T")


class Archive:
    """Blocks; raises Unavailable where the database does not answer."""

    def __init__(self, database: Database, settings: LedgerSettings) -> None:
        self._database = database
        self._settings = settings

    def verify(
        self, keys: TrustedKeys, progress: Progress, known: Mapping[int, str] | None = None
    ) -> Verification:
        """Reads everything; `known` are checkpoints' hashes that must be found."""
        return self._read(lambda connection: Audit(connection, keys, progress, known).run())

    def list(
        self, tenant: str, *, page_size: int, page_token: str = "", denied_only: bool = False
    ) -> Page[Entry]:
        """See Ledger.list."""
        most = self._settings.max_page
        return self._read(
            lambda connection: list_entries(
                connection, tenant, page_size, page_token, denied_only=denied_only, most=most
            )
        )

    def notices(self, *, waiting_only: bool, most: int) -> tuple[Notice, ...]:
        """The newest notices, newest first."""
        return self._read(
            lambda connection: read_notices(connection, waiting_only=waiting_only, most=most)
        )

    def prove(self, id: str, tenant: str = "") -> tuple[Proof, ...]:
        """The proofs of a decision and its outcome. Raises NotFound, FailedPrecondition."""
        return self._read(lambda connection: prove(connection, id, tenant))

    def to_json_lines(self, file: IO[str], progress: Progress) -> int:
        """Writes the export and answers how many entries it holds."""
        return self._read(lambda connection: to_json_lines(connection, file, progress))

    def to_parquet(self, folder: Path, progress: Progress) -> int:
        """Writes the export's files and answers how many entries they hold."""
        return self._read(lambda connection: to_parquet(connection, folder, progress))

    def prune(
        self, signer: Signer, keys: TrustedKeys, before_ns: int, progress: Progress
    ) -> tuple[Checkpoint | None, int]:
        """Drops what checkpoints from before a moment cover. Raises FailedPrecondition."""
        try:
            return prune(self._database, signer, keys, before_ns, progress)
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._database.reading.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise unavailable(error) from error


@contextmanager
def open_archive(place: str, settings: LedgerSettings) -> Iterator[Archive]:
    """The ledger at a URL, or the export at a path (a JSON Lines file, a folder of Parquet).

    Makes no new ledger. Raises FailedPrecondition, InvalidArgument (no export), Unavailable.
    """
    if "://" not in place:
        with _exported(Path(place)) as database:
            yield Archive(database, settings)
        return
    path = place.removeprefix("sqlite:///")
    if path != place and not Path(path).is_file():
        # Connecting would make an empty ledger there, and an empty ledger holds.
        raise FailedPrecondition(f"there is no ledger at {path}")
    try:
        database = connect(place, settings)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(error) from error
    try:
        yield Archive(database, settings)
    finally:
        database.writing.dispose()


@contextmanager
def _exported(path: Path) -> Iterator[Database]:
    if not path.exists():
        raise FailedPrecondition(f"there is no export at {path}")
    folder = Path(tempfile.mkdtemp(prefix="beholden-export-"))
    engine = create_engine(f"sqlite:///{folder / 'ledger.db'}")
    try:
        load(path, engine)
        yield Database(engine, engine)
    finally:
        engine.dispose()
        shutil.rmtree(folder, ignore_errors=True)
