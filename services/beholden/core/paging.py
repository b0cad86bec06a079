"""Page tokens: opaque to the caller, tied to the listing that made them, and checked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence

from beholden.core.errors import InvalidArgument

_DIGEST = 8


def encode_token(listing: Sequence[str], position: Sequence[str | int]) -> str:
    """A token for the page after `position`; `listing` names what is listed and for whom."""
    body = json.dumps(list(position)).encode()
    return base64.urlsafe_b64encode(_digest(listing, body) + body).decode().rstrip("=")


def decode_token(listing: Sequence[str], token: str) -> list[str | int]:
    """The position in a token that `encode_token` made for the same `listing`.

    Raises InvalidArgument for any other token. The digest is no secret: a token carries a
    position, never a right.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    digest, body = raw[:_DIGEST], raw[_DIGEST:]
    if not body or digest != _digest(listing, body):
        raise InvalidArgument(
            "page_token", "is not a token of this listing; leave it out to begin anew"
        )
    position: list[str | int] = json.loads(body)
    return position


def check_page_size(page_size: int, most: int) -> int:
    """`page_size` or, where it is larger, `most` (AIP-158). Raises InvalidArgument under 1."""
    if page_size < 1:
        raise InvalidArgument("page_size", f"must be 1 to {most}")
    return min(page_size, most)


def _digest(listing: Sequence[str], body: bytes) -> bytes:
    return hashlib.sha256(json.dumps(list(listing)).encode() + body).digest()[:_DIGEST]
