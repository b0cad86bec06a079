"""Opens the ledger that a URL names."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from beholden.core.ports import Ledger
from beholden.ledger.database import connect, unavailable
from beholden.ledger.keys import open_signer
from beholden.ledger.settings import LedgerSettings
from beholden.ledger.sql import SqlLedger


async def open_ledger(url: str, settings: LedgerSettings) -> Ledger:
    """`sqlite:///PATH` or `postgresql://USER@HOST/DATABASE`; tables and signing key are made if need be.

    Raises FailedPrecondition for another URL, a ledger that a newer Beholden wrote or a key that
    cannot be used, Unavailable when the database cannot be reached.
    """
    signer = await asyncio.to_thread(open_signer, settings.key_file)
    try:
        database = await asyncio.to_thread(connect, url, settings)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(error) from error
    return SqlLedger(database, settings, signer)
