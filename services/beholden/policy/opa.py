"""The law in OPA, asked over its REST API by TCP or unix socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from beholden.core.errors import Unavailable
from beholden.core.law import Decision, Evaluation, Explanation, Facts, PolicyStatus
from beholden.policy.breaker import Breaker
from beholden.policy.decision import parse
from beholden.policy.exchange import Exchange
from beholden.policy.explanation import parse_explanation
from beholden.policy.facts import encode
from beholden.policy.law import ENTRYPOINT, EXPLANATION
from beholden.policy.settings import PolicySettings

ENGINE = "opa"
_OPTIONS = "strict-builtin-errors=true&provenance=true"
QUERY = f"/v1/data/{ENTRYPOINT}?{_OPTIONS}"
EXPLAINING = f"/v1/data/{EXPLANATION}?{_OPTIONS}"
HEALTH = "/health?bundles=true&plugins=true"
STATUS = "/v1/status"


class _Unreachable(Unavailable):
    """OPA itself did not answer, as against: it answered that it could not evaluate this."""


class OpaEngine:
    """A `PolicyEngine` that asks OPA at `http://host:port`, `https://...` or `unix:///path`."""

    def __init__(self, url: str, settings: PolicySettings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="beholden-opa")
        headers = {"Content-Type": "application/json"}
        if settings.opa_token:
            headers["Authorization"] = f"Bearer {settings.opa_token}"
        self._exchange = Exchange(url, headers, settings.opa_timeout)
        self._url = url
        self._breaker = Breaker(ENGINE, failures=settings.opa_failures, pause=settings.opa_pause)
        self._seen = ("", 0)
        self._looking = asyncio.Lock()
        self._looked = 0.0
        self._closed = False

    async def decide(self, facts: Facts) -> Decision:
        """See `PolicyEngine.decide`."""
        return parse(await self.evaluate(facts))

    async def evaluate(self, facts: Facts) -> Evaluation:
        """See `PolicyEngine.evaluate`."""
        return await self._ask(QUERY, facts)

    async def explain(self, facts: Facts) -> Explanation:
        """See `PolicyEngine.explain`."""
        return parse_explanation(await self._ask(EXPLAINING, facts), ENGINE)

    async def _ask(self, query: str, facts: Facts) -> Evaluation:
        body = f'{{"input":{encode(facts, self._settings.limits)}}}'
        with self._breaker.guard(_Unreachable):
            answer = await self._call("POST", query, body)
        revision = _revision(answer)
        if revision != self._seen[0]:
            self._seen = (revision, time.time_ns())
        return Evaluation(answer.get("result"), revision)

    async def status(self) -> PolicyStatus:
        """See `PolicyEngine.status`; an OPA that is away is unhealthy, under the law last seen."""
        away = ""
        try:
            await self._call("GET", HEALTH)
            await self.evaluate({})
        except Unavailable as error:
            away = error.message
        return PolicyStatus(
            ENGINE,
            *self._seen,
            healthy=not away,
            detail=away or self._url,
            problem="" if away else await self._problem(),
        )

    async def _problem(self) -> str:
        """Why OPA did not take up a newer bundle, where it keeps its status for us to ask."""
        try:
            said = await self._call("GET", STATUS)
        except Unavailable:
            return ""
        result = said.get("result")
        bundles = result.get("bundles") if isinstance(result, dict) else None
        problems = [
            f"{name}: {bundle['message']}"
            for name, bundle in (bundles.items() if isinstance(bundles, dict) else ())
            if isinstance(bundle, dict) and bundle.get("message")
        ]
        return "; ".join(problems)

    async def changed(self, revision: str) -> None:
        """See `PolicyEngine.changed`; while OPA is away nothing has changed."""
        while self._seen[0] in ("", revision):
            await asyncio.sleep(self._settings.opa_watch)
            with suppress(Unavailable):
                await self._look()

    async def _look(self) -> None:
        """Asks for no other reason than to be told the revision, once for all who wait."""
        async with self._looking:
            now = time.monotonic()
            if now - self._looked >= self._settings.opa_watch:
                self._looked = now
                await self.evaluate({})

    async def close(self) -> None:
        """See `PolicyEngine.close`."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _call(self, method: str, path: str, body: str | None = None) -> Mapping[str, Any]:
        if self._closed:
            raise Unavailable(ENGINE, "closed")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await loop.run_in_executor(self._pool, self._send, method, path, body)
        except TimeoutError:
            raise Unavailable(ENGINE, "the decision took too long") from None

    def _send(self, method: str, path: str, body: str | None) -> Mapping[str, Any]:
        """Runs on one of the pool's threads, with that thread's own connection, kept alive."""
        try:
            status, content = self._exchange(method, path, body)
            answer = json.loads(content)
        except (OSError, HTTPException, ValueError) as error:
            raise _Unreachable(ENGINE, f"does not answer ({type(error).__name__})") from None
        if status != HTTPStatus.OK or not isinstance(answer, dict):
            # The body may quote the facts, so neither log nor caller gets it.
            raise Unavailable(ENGINE, f"could not evaluate (HTTP {status})")
        return answer


def _revision(answer: Mapping[str, Any]) -> str:
    """The revisions of the bundles that answered. Raises Unavailable where there is none to name."""
    provenance = answer.get("provenance")
    bundles = provenance.get("bundles") if isinstance(provenance, dict) else None
    revisions = [
        str(bundle.get("revision") or "")
        for _, bundle in sorted((bundles or {}).items())
        if isinstance(bundle, dict)
    ]
    if not revisions or not all(revisions):
        raise Unavailable(ENGINE, "serves law without a revision; give it a bundle that has one")
    return ",".join(revisions)
