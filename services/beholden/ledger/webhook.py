"""Sends notices to the operator's address over HTTP, signed so that they cannot be forged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path
from urllib.parse import urlsplit

import requests

from beholden.core.addresses import is_loopback
from beholden.core.errors import FailedPrecondition
from beholden.ledger.keys import create_file, read_file

_KEY_BYTES = 32
_PREFIX = "whsec_"


class Undelivered(Exception):
    """The receiver did not say that it has it; in words without anything that it answered."""


class Webhook:
    """Posts as the Standard Webhooks specification has it (standardwebhooks.com).

    `webhook-id` is the notice's id, the same however often it is sent; `webhook-signature` is
    HMAC-SHA256, under a secret that both sides know, over id, `webhook-timestamp` and body.
    """

    def __init__(self, url: str, secret: bytes, timeout: float) -> None:
        self._url = url
        self._secret = secret
        self._timeout = timeout
        self._session = requests.Session()
        # A proxy of the environment's is for what lies outside this machine.
        self._session.trust_env = not is_loopback(urlsplit(url).hostname or "")

    def send(self, id: str, body: str, now: int) -> None:
        """Blocks; `now` in Unix seconds. Raises Undelivered for anything but an answer of 2xx."""
        headers = {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(self._secret, id, now, body),
        }
        try:
            answer = self._session.post(
                self._url,
                data=body.encode(),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            answer.close()
        except (requests.RequestException, OSError) as error:
            raise Undelivered(type(error).__name__) from None
        if not answer.ok or answer.is_redirect:
            raise Undelivered(f"HTTP {answer.status_code}")

    def close(self) -> None:
        """Lets go of its connections."""
        self._session.close()


def signature(secret: bytes, id: str, now: int, body: str) -> str:
    """What `webhook-signature` must be."""
    digest = hmac.digest(secret, f"{id}.{now}.{body}".encode(), hashlib.sha256)
    return f"v1,{_base64(digest)}"


def open_secret(path: Path) -> bytes:
    """The secret in a file, as `whsec_` and base64; made, for the owner alone, where there is none.

    Raises FailedPrecondition for a file that cannot be read or made, or holds no secret.
    """
    create_file(path, _new_secret)
    text = read_file(path).decode(errors="replace").strip()
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not text.startswith(_PREFIX) or len(secret) < 24:
        raise FailedPrecondition(f"{path} holds no webhook secret: {_PREFIX} and base64")
    return secret


def _new_secret() -> bytes:
    return f"{_PREFIX}{_base64(os.urandom(_KEY_BYTES))}\n".encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
