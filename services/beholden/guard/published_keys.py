"""The keys that an issuer publishes, fetched when they are old or an unknown one is named."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from joserfc.jwk import Key

from beholden.core.errors import Unauthenticated, Unavailable
from beholden.guard.keys import StaticKeys, key_set

_TIMEOUT = 5.0
_MOST_BYTES = 1024 * 1024

_log = logging.getLogger(__name__)


class PublishedKeys:
    """The issuer's key set (RFC 7517, 5).

    Times in seconds: `refresh` after which it is old, `interval` between two fetches at least,
    `stale` that it is believed while it cannot be fetched. `fetch` runs in a thread.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        refresh: float,
        interval: float,
        stale: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._refresh, self._interval, self._stale = refresh, interval, stale
        self._clock = clock
        self._keys: StaticKeys | None = None
        self._fetched = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> Key:
        """See Keys. Waits for a fetch only where the keys at hand do not do."""
        if self._age() > self._stale:
            self._keys = None
            await self._wait()
        elif self._age() > self._refresh:
            self._begin()
        try:
            return await self._known().find(kid)
        except Unauthenticated:
            await self._wait()
            return await self._known().find(kid)

    def _age(self) -> float:
        return self._clock() - self._fetched

    def _known(self) -> StaticKeys:
        if self._keys is None:
            raise Unavailable(
                "identity", "the issuer's keys cannot be fetched", retry_after=self._interval
            )
        return self._keys

    async def _wait(self) -> None:
        if (fetching := self._begin()) is not None:
            await asyncio.shield(fetching)

    def _begin(self) -> asyncio.Task[None] | None:
        if self._fetching is None and self._clock() - self._tried >= self._interval:
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            document = json.loads(await asyncio.to_thread(self._fetch))
            self._keys = StaticKeys(key_set(document, secrets_too=False))
            self._fetched = self._clock()
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("identity: the issuer's keys: %s", error)
        finally:
            self._fetching = None


def fetch_from(url: str) -> Callable[[], bytes]:
    """A blocking GET of `url`, bounded in time and size, that follows no redirect."""
    opener = urllib.request.build_opener(_Stay)

    def fetch() -> bytes:
        with opener.open(url, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES} bytes")
        return content

    return fetch


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None, by which a redirect is an error: it could lead off https."""
