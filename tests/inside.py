"""A server of governance in the test's own process: its start and its leaving, without a process's price."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import grpc

from beholden.guard.keys import create_key_file
from beholden.runtime.server import answer
from beholden.runtime.settings import Settings
from beholden.v1 import governance_pb2, governance_pb2_grpc
from tests.house import headers
from tests.pictures import ROOT

SERVICE = "beholden.v1.GovernanceService"


@dataclass
class Inside:
    """Answers until `end`; several of one folder share keys and ledger, as those on Kubernetes do."""

    settings: Settings
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self) -> None:
        """Answering on return."""
        begun = asyncio.Event()
        self.task = asyncio.create_task(
            answer(self.settings, ["governance"], self.stop, lambda _: begun.set())
        )
        waiting = asyncio.create_task(begun.wait())
        await asyncio.wait([self.task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.task.done():
            await self.task

    async def end(self) -> None:
        """Gone on return."""
        self.stop.set()
        await self.task


@asynccontextmanager
async def serving(
    folder: Path, address: str, policies: Path = ROOT / "policies", **settings: object
) -> AsyncIterator[Inside]:
    """Answering at `address` on entry, gone at the end; its data lie in `folder`."""
    key = folder / "identity.key"
    if not key.exists():
        create_key_file(key)
    ledger = f"sqlite:///{folder}/ledger.db"
    made = Settings(listen=address, ledger_url=ledger, policy_url=f"file:{policies}", **settings)
    made.guard.identity.key_file = key
    made.ledger.key_file = folder / "ledger.key"
    made.reviews.key_file = folder / "reviews.key"
    inside = Inside(made)
    await inside.begin()
    try:
        yield inside
    finally:
        await inside.end()


def asking(
    channel: grpc.aio.Channel, folder: Path
) -> Callable[[], Awaitable[governance_pb2.GetPolicyStatusResponse]]:
    """Asks which law is in force, as one who may."""
    stub = governance_pb2_grpc.GovernanceServiceStub(channel)
    who = headers(folder / "identity.key", "beholden-ops", roles=["operator"])
    return partial(stub.GetPolicyStatus, governance_pb2.GetPolicyStatusRequest(), metadata=who)
