"""Opens the ledger that a URL names."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from beholden.core.ports import Ledger
from beholden.ledger.database import connect, unavailable
from beholden.ledger.settings import LedgerSettings
from beholden.ledger.sql import SqlLedger


async def open_ledger(url: str, settings: LedgerSettings) -> Ledger:
    """`sqlite:///PATH` or `postgresql://USER@HOST/DATABASE`; its tables are made or migrated.

    Raises FailedPrecondition for another URL or a ledger that a newer Beholden wrote, Unavailable
    when the database cannot be reached.
    """
    try:
        database = await asyncio.to_thread(connect, url, settings)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(error) from error
    return SqlLedger(database, settings)
