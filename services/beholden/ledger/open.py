"""Opens the ledger that a URL names, and the reviews and notices beside it."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from beholden.core.ports import Jobs, Ledger, Reviews
from beholden.ledger.database import Database, connect, unavailable
from beholden.ledger.jobs import SqlJobs
from beholden.ledger.keys import open_signer
from beholden.ledger.notices import Notices
from beholden.ledger.reviews import Revoked, SqlReviews
from beholden.ledger.sealed_box import open_box
from beholden.ledger.settings import JobSettings, LedgerSettings, NoticeSettings, ReviewSettings
from beholden.ledger.sql import SqlLedger
from beholden.ledger.webhook import Webhook, open_secret


async def open_ledger(url: str, settings: LedgerSettings) -> Ledger:
    """`sqlite:///PATH` or `postgresql://USER@HOST/DATABASE`; tables and signing key are made if need be.

    Raises FailedPrecondition for another URL, a ledger that a newer Beholden wrote or a key that
    cannot be used, Unavailable when the database cannot be reached.
    """
    signer = await asyncio.to_thread(open_signer, settings.key_file)
    return SqlLedger(await _connected(url, settings), settings, signer)


async def open_reviews(
    url: str, settings: LedgerSettings, reviews: ReviewSettings, revoked: Revoked
) -> Reviews:
    """In the ledger's database; tables and encryption key are made if need be. Raises as `open_ledger`."""
    box = await asyncio.to_thread(open_box, reviews.key_file)
    return SqlReviews(await _connected(url, settings), box, reviews, revoked)


async def open_notices(url: str, settings: LedgerSettings, notices: NoticeSettings) -> Notices:
    """Delivers what the ledger's database owes; a secret is made if need be. Raises as `open_ledger`."""
    secret = await asyncio.to_thread(open_secret, notices.key_file)
    webhook = Webhook(notices.url, secret, notices.timeout)
    return Notices(await _connected(url, settings), webhook, notices)


async def open_jobs(url: str, settings: LedgerSettings, jobs: JobSettings) -> Jobs:
    """In the ledger's database; tables and encryption key are made if need be. Raises as `open_ledger`."""
    box = await asyncio.to_thread(open_box, jobs.key_file)
    return SqlJobs(await _connected(url, settings), box, jobs)


async def _connected(url: str, settings: LedgerSettings) -> Database:
    try:
        return await asyncio.to_thread(connect, url, settings)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(error) from error
