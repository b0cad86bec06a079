"""Reads a ledger itself, for when no server runs or the server is not to be believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from beholden.cli.configured import settings
from beholden.cli.failures import Failure
from beholden.core.errors import BeholdenError
from beholden.core.ports import Ledger
from beholden.ledger.open import open_ledger
from beholden.ledger.settings import LedgerSettings
from beholden.v1 import governance_pb2
from beholden.wire.ledger import ledger_record, verification

Result = TypeVar("Result")


def verify(url: str) -> governance_pb2.VerifyLedgerResponse:
    """Whether every chain of the ledger at `url` holds. Raises Failure."""

    async def read(ledger: Ledger) -> governance_pb2.VerifyLedgerResponse:
        return verification(await ledger.verify())

    return _with(url, read)


def page(
    url: str, tenant: str, request: governance_pb2.ListDecisionsRequest
) -> governance_pb2.ListDecisionsResponse:
    """One page of a tenant's decisions in the ledger at `url`. Raises Failure."""

    async def read(ledger: Ledger) -> governance_pb2.ListDecisionsResponse:
        found = await ledger.list(
            tenant,
            page_size=request.page_size,
            page_token=request.page_token,
            denied_only=request.denied_only,
        )
        return governance_pb2.ListDecisionsResponse(
            records=map(ledger_record, found.items), next_page_token=found.next_token
        )

    return _with(url, read)


def _with(url: str, read: Callable[[Ledger], Awaitable[Result]]) -> Result:
    chosen = settings().ledger
    # Opening would make what is missing: an empty ledger, which holds, and a key that signed nothing.
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).is_file():
        raise Failure(f"there is no ledger at {path}", "NOT_FOUND")
    if not chosen.key_file.is_file():
        raise Failure(
            f"the ledger's key {chosen.key_file} is not here",
            "NOT_FOUND",
            hint="set BEHOLDEN_LEDGER__KEY_FILE to the key that the server signs with",
        )

    async def opened() -> Result:
        async with _open(url, chosen) as ledger:
            return await read(ledger)

    try:
        return asyncio.run(opened())
    except BeholdenError as error:
        raise Failure(error.message, hint=getattr(error, "remedy", "")) from None


@asynccontextmanager
async def _open(url: str, chosen: LedgerSettings) -> AsyncIterator[Ledger]:
    ledger = await open_ledger(url, chosen)
    try:
        yield ledger
    finally:
        await ledger.close()
