"""Serves the law to any number of OPAs, each of which waits for the next one: long polling, ETags.

https://www.openpolicyagent.org/docs/management-bundles#bundle-service-api is what OPA asks.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from beholden.core.errors import FailedPrecondition
from beholden.policy.bundle import bundle_bytes, bundle_files
from beholden.policy.checking import in_process
from beholden.policy.law import Law
from beholden.policy.open import read_law
from beholden.policy.signing import KEY_ID, VerificationKey, algorithm, sign
from beholden.policy.watching import law_state, watch

PATH = "/law.tar.gz"

_TYPE = "application/vnd.openpolicyagent.bundles"  # by which OPA knows that it may wait
_WAIT = re.compile(r"(?:^|[;,\s])wait=(\d{1,4})(?:$|[;,\s])")
_LONGEST = 300

_log = logging.getLogger(__name__)


class BundleServer:
    """Answers GET on `host` and `port` (0 takes a free one) with the newest bundle, once there is one."""

    def __init__(self, host: str, port: int) -> None:
        self._newer = threading.Condition()
        self._bundle, self._tag, self._closed = b"", "", False
        self._http = ThreadingHTTPServer((host, port), partial(_Handler, self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def put(self, bundle: bytes) -> None:
        """Serves this from now on, and at once to those who wait."""
        with self._newer:
            self._bundle, self._tag = bundle, f'"{hashlib.sha256(bundle).hexdigest()}"'
            self._newer.notify_all()

    def other_than(self, tag: str, wait: float) -> tuple[bytes, str]:
        """The bundle and its tag, as soon as that is not `tag`; after `wait` seconds whatever it is."""
        with self._newer:
            self._newer.wait_for(lambda: self._closed or self._tag not in ("", tag), wait)
            return self._bundle, self._tag

    def __enter__(self) -> BundleServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._newer:
            self._closed = True
            self._newer.notify_all()
        self._http.shutdown()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _LONGEST * 2

    def __init__(self, bundles: BundleServer, *arguments: Any) -> None:
        self._bundles = bundles
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answers 200 with the bundle, 304 where the one that is known is the newest."""
        if self.path.partition("?")[0] != PATH:
            self._answer(HTTPStatus.NOT_FOUND, b"")
            return
        known = self.headers.get("If-None-Match", "")
        waits = _WAIT.search(self.headers.get("Prefer", ""))
        seconds = min(int(waits[1]), _LONGEST) if waits else 0
        bundle, tag = self._bundles.other_than(known, seconds)
        if not tag:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"")
        elif tag == known:
            self._answer(HTTPStatus.NOT_MODIFIED, b"", tag)
        else:
            self._answer(HTTPStatus.OK, bundle, tag)

    def _answer(self, status: HTTPStatus, body: bytes, tag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", _TYPE)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        if tag:
            self.send_header("ETag", tag)
        try:
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # it went away while it waited

    def log_message(self, *_: object) -> None:
        """Says nothing: OPA asks all day."""


async def keep_serving(
    server: BundleServer,
    place: Path,
    key: VerificationKey | None,
    every: float,
    told: Callable[[Law], None],
) -> NoReturn:
    """Serves the law at `place`, signed by `key`, and each newer one once it is proven; tells of each.

    Without a key, a bundle goes out byte for byte, with the signature that it was given elsewhere.
    Raises FailedPrecondition for the first; a later one that does not do is logged and not served.
    """
    served, sent = "", b""

    async def take_up() -> None:
        nonlocal served, sent
        state = law_state(place)
        try:
            law = await asyncio.to_thread(read_law, place)
            async with in_process(law):
                bundle = await asyncio.to_thread(_written, law, place, key)
        except FailedPrecondition as error:
            if not served:
                raise
            _log.error("%s; %s stays in force", error.message, served)
            return
        if law_state(place) != state:
            return  # what was read may not be what was proven; it is looked at again
        if law.revision != served or (key is None and bundle != sent):
            served, sent = law.revision, bundle
            server.put(bundle)
            told(law)

    await watch(lambda: law_state(place), take_up, every)


def _written(law: Law, place: Path, key: VerificationKey | None) -> bytes:
    if key is None and place.is_file():
        return place.read_bytes()
    return bundle_bytes(law, sign(bundle_files(law), key) if key else "")


def opa_configuration(url: str, key: VerificationKey | None) -> Mapping[str, Any]:
    """What OPA is to be started with to follow the law served at `url`, and to believe only `key`."""
    bundle: dict[str, Any] = {
        "service": KEY_ID,
        "resource": PATH.removeprefix("/"),
        "polling": {
            "long_polling_timeout_seconds": 60,
            "min_delay_seconds": 1,
            "max_delay_seconds": 2,
        },
    }
    found: dict[str, Any] = {
        "services": {KEY_ID: {"url": url}},
        "bundles": {KEY_ID: bundle},
        "status": {"prometheus": True},
    }
    if key is not None:
        bundle["signing"] = {"keyid": KEY_ID}
        public = key.as_pem(private=False).decode()
        found["keys"] = {KEY_ID: {"algorithm": algorithm(key), "key": public}}
    return found
