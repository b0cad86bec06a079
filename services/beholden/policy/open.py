"""Chooses the policy engine by URL."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from beholden.core.errors import FailedPrecondition
from beholden.core.ports import PolicyEngine
from beholden.policy.law import Law, load_law
from beholden.policy.schema import check_law
from beholden.policy.settings import PolicySettings


async def open_policy(url: str, settings: PolicySettings | None = None) -> PolicyEngine:
    """The engine at `url`: `file:FOLDER` in process; `http://`, `https://`, `unix:///SOCKET` for OPA.

    Raises FailedPrecondition for another URL, and for a folder whose law is malformed. OPA need not
    be there yet: until it is, every call is refused.
    """
    settings = settings or PolicySettings()
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if parts.path and not parts.netloc:
            from beholden.policy.rego import RegoEngine

            engine = RegoEngine(partial(read_law, Path(url2pathname(parts.path))), settings)
            await engine.reload()
            return engine
        case "unix" if parts.path and not parts.netloc:
            pass
        case "http" | "https" if parts.hostname:
            pass
        case _:
            raise FailedPrecondition(
                f"{url!r} names no policy engine",
                remedy="use file:FOLDER, http://HOST:PORT, https://HOST:PORT or unix:///SOCKET",
            )
    from beholden.policy.opa import OpaEngine

    return OpaEngine(url, settings)


def read_law(folder: Path) -> Law:
    """The folder's law, found well-formed. Raises FailedPrecondition."""
    return check_law(load_law(folder))
