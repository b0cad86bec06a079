"""Recorded decisions under a candidate law: what would change, counted, with examples."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import Any

from beholden.core.errors import InvalidArgument
from beholden.core.law import Decision
from beholden.policy.alike import Alike
from beholden.policy.comparison import Findings, Group, compare
from beholden.policy.law import Law
from beholden.policy.rego import RegoEngine
from beholden.policy.settings import PolicySettings

_BATCH = 500
_WAITING = 3  # batches on their way for each worker
_REMEMBERED = 20_000

Said = tuple[str, str, str, str]
"""A record's id, tenant, action and body (JSON text)."""


def simulate(law: Law, records: Iterable[Said], workers: int = 0) -> Findings:
    """Replays records under `law` in `workers` processes (0: one for each processor).

    Memory is bounded however many records there are. Raises FailedPrecondition for a law that cannot
    be built.
    """
    found = Findings()
    workers = workers or os.cpu_count() or 1
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(law,))
    waiting: deque[Future[Findings]] = deque()
    try:
        for batch in _batches(records):
            waiting.append(pool.submit(_replay, batch))
            if len(waiting) >= workers * _WAITING:
                found.add(waiting.popleft().result())
        for one in waiting:
            found.add(one.result())
    finally:
        pool.shutdown(cancel_futures=True)
    return found


class Replay:
    """One worker's engine, and what it decided already on facts that the law cannot tell apart."""

    def __init__(self, law: Law) -> None:
        self._loop = asyncio.new_event_loop()
        self._engine = RegoEngine(lambda: law, PolicySettings(threads=1, timeout=30))
        self._loop.run_until_complete(self._engine.reload())
        self._alike = Alike(law)
        self._known: OrderedDict[str, Decision] = OrderedDict()

    def replay(self, batch: Sequence[Said]) -> Findings:
        """What would change of these."""
        found = Findings()
        for record, tenant, action, body in batch:
            try:
                said = json.loads(body)
                facts, before = said["facts"], said["decision"]
                change = compare(before, self._decide(facts))
            except (
                ValueError,
                TypeError,
                KeyError,
                AttributeError,
                RecursionError,
                InvalidArgument,
            ):
                found.unreadable += 1
                continue
            found.replayed += 1
            if change is not None:
                found.note(Group(change[0], tenant, action, change[1]), [record])
        return found

    def _decide(self, facts: Mapping[str, Any]) -> Decision:
        key = self._alike.key(facts)
        known = self._known.get(key)
        if known is None:
            known = self._loop.run_until_complete(self._engine.decide(facts))
            if len(self._known) >= _REMEMBERED:
                self._known.popitem(last=False)
            self._known[key] = known
        return known


_worker: list[Replay] = []


def _begin(law: Law) -> None:
    # Ctrl-C is the parent's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.append(Replay(law))


def _replay(batch: list[Said]) -> Findings:
    return _worker[0].replay(batch)


def _batches(records: Iterable[Said]) -> Iterator[list[Said]]:
    remaining = iter(records)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
