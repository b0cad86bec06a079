"""Faces go on time and with their consent, from the store itself, and the ledger has it."""

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import Unavailable
from beholden.core.gallery import Person, Provenance
from beholden.core.ports import FaceStore
from beholden.ledger.open import open_ledger
from beholden.ledger.settings import LedgerSettings
from beholden.search.erasure.sweeper import Sweeper
from tests.contract.stores import Place, collection, face, lite, templates

TENANT = "news"
ISSUER = "https://consent.example"
AT = 2**62


def enrolled(seed: int, **past: Any) -> Any:
    made = face(templates(1, seed)[0], str(uuid.UUID(int=seed)))
    return replace(made, provenance=Provenance(**past))


async def kept(store: FaceStore) -> set[int]:
    """What is in the store by its own account, and not only in answers."""
    due = await store.due_faces(before_ns=2**63 - 1, consents=["c-1", "c-2"], limit=100)
    return {uuid.UUID(one.face.id).int for one in due}


class Ledger:
    """The real one, which may be gone at first."""

    def __init__(self, ledger: Any) -> None:
        self.ledger = ledger
        self.broken = False

    async def append(self, record: Any) -> Any:
        if self.broken:
            raise Unavailable("ledger", "gone")
        return await self.ledger.append(record)


async def opened(folder: Path) -> Any:
    settings = LedgerSettings(key_file=folder / "ledger.key")
    return await open_ledger(f"sqlite:///{folder}/ledger.db", settings)


async def test_expired_and_revoked_faces_leave_the_store(tmp_path: Path) -> None:
    now, revoked = [AT], set[tuple[str, str]]()
    ledger = await opened(tmp_path)
    book = Ledger(ledger)
    place: Place = lite(tmp_path)
    async with place.opened() as store:

        def sweeper() -> Sweeper:
            return Sweeper(
                store,
                book,  # type: ignore[arg-type]
                lambda: revoked,
                lambda _: str(uuid.uuid4()),
                seconds=60,
                clock=lambda: now[0],
            )

        await store.create_collection(collection(TENANT))
        await store.add_faces(
            TENANT,
            "people",
            [
                enrolled(1, expire_ns=AT + 5),
                enrolled(2, expire_ns=AT + 9),
                enrolled(3, consent_id="c-1", consent_issuer=ISSUER),
                enrolled(4, consent_id="c-1"),
                enrolled(5, consent_id="c-1", consent_issuer="https://other.example"),
                enrolled(6),
            ],
        )
        await store.create_person(TENANT, "people", Person("ada", 1))
        await store.associate_faces(TENANT, "people", "ada", [str(uuid.UUID(int=1))])
        await sweeper().sweep()
        assert await kept(store) == {1, 2, 3, 4, 5}
        now[0] = AT + 5
        await sweeper().sweep()
        assert await kept(store) == {2, 3, 4, 5}
        assert (await store.get_person(TENANT, "people", "ada")).faces == ()
        revoked.add((ISSUER, "c-1"))
        book.broken = True
        patient = sweeper()
        with pytest.raises(Unavailable):
            await patient.sweep()
        assert await kept(store) == {2, 4, 5}, "only the consent that this issuer signed"
        book.broken = False
        revoked.add((f"tenants/{TENANT}", "c-1"))
        await patient.sweep()
        assert await kept(store) == {2, 5}
        assert await store.count_faces(TENANT, "people") == 3
    entries = (await ledger.list(TENANT, page_size=50)).items
    told = sorted((entry.record.action, entry.record.body["counts"]["faces"]) for entry in entries)
    assert told == [("consent.revoke", 1), ("consent.revoke", 1), ("face.expire", 1)]
    assert (await ledger.verify()).holds
    await ledger.close()


async def test_sweeps_by_itself_after_a_restart(tmp_path: Path) -> None:
    """A face that expired while nothing ran goes at once, one that expires soon goes then."""
    ledger = await opened(tmp_path)
    now = time.time_ns()
    async with lite(tmp_path).opened() as store:
        await store.create_collection(collection(TENANT))
        soon = now + 700_000_000
        await store.add_faces(
            TENANT, "people", [enrolled(1, expire_ns=now - 1), enrolled(2, expire_ns=soon)]
        )
    async with lite(tmp_path).opened() as store:
        sweeper = Sweeper(store, ledger, frozenset, lambda _: str(uuid.uuid4()), seconds=3600)
        sweeping = asyncio.create_task(sweeper.run())
        seen = []
        while (there := await kept(store)) or not seen:
            if there not in seen:
                seen.append(there)
            await asyncio.sleep(0.02)
        assert {2} in seen or {1, 2} in seen
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
    await ledger.close()
