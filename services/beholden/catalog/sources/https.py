"""Files from an https address at a pinned commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import requests

from beholden.catalog.entries import HttpsSource, PinnedFile
from beholden.catalog.sources.receive import CHUNK, Advance, SourceError, receive

_TIMEOUT_S = (10, 30)
"""To connect, and between two reads."""


def obtain(source: HttpsSource, pins: Sequence[PinnedFile], into: Path, advance: Advance) -> None:
    """Download each file; no more than its pinned size is read, and no redirect leaves https.

    Raises:
        SourceError: the address cannot be reached or answers something else.
    """
    with requests.Session() as session:
        for pin in pins:
            url = source.base + pin.name
            try:
                with session.get(url, stream=True, timeout=_TIMEOUT_S) as answer:
                    if any(not hop.url.startswith("https://") for hop in (*answer.history, answer)):
                        raise SourceError(f"{url} redirects away from https")
                    if answer.status_code != requests.codes.ok:
                        raise SourceError(f"{url} answers {answer.status_code} {answer.reason}")
                    receive(answer.iter_content(CHUNK), pin, into, advance)
            except requests.RequestException as error:
                raise SourceError(f"{url} cannot be read ({type(error).__name__})") from error
