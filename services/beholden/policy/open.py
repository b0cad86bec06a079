"""Chooses the policy engine by URL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from opentelemetry.metrics import Meter

from beholden.core.errors import FailedPrecondition
from beholden.core.ports import PolicyEngine, Shadow
from beholden.policy.bundle import read_bundle
from beholden.policy.law import Law, load_law
from beholden.policy.settings import PolicySettings
from beholden.policy.signing import VerificationKey, read_key
from beholden.policy.watching import law_state
from beholden.policy.wellformed import check_law


async def open_policy(url: str, settings: PolicySettings | None = None) -> PolicyEngine:
    """The engine at `url`: `file:PLACE` in process; `http://`, `https://`, `unix:///SOCKET` for OPA.

    A place is a folder or a bundle, taken up anew when it changes.

    Raises FailedPrecondition for another URL, and for a place whose law is malformed. OPA need not
    be there yet: until it is, every call is refused.
    """
    settings = settings or PolicySettings()
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if parts.path and not parts.netloc:
            from beholden.policy.rego import RegoEngine

            place = Path(url2pathname(parts.path))
            key = await asyncio.to_thread(read_key, settings.key) if settings.key else None
            engine = RegoEngine(partial(read_law, place, key), settings)
            await engine.reload()
            if settings.watch:
                engine.watch(partial(law_state, place))
            return engine
        case "unix" if parts.path and not parts.netloc:
            pass
        case "http" | "https" if parts.hostname:
            pass
        case _:
            raise FailedPrecondition(
                f"{url!r} names no policy engine",
                remedy="use file:FOLDER, file:BUNDLE.tar.gz, http://HOST:PORT, https://HOST:PORT or unix:///SOCKET",
            )
    from beholden.policy.opa import OpaEngine

    return OpaEngine(url, settings)


def open_shadow(settings: PolicySettings, meter: Meter) -> Shadow | None:
    """The candidate law of the settings, if any; one that does not do is logged until it does."""
    if settings.shadow is None:
        return None
    from beholden.policy.rego import RegoEngine
    from beholden.policy.shadow import LawShadow

    # One thread: what it takes must be little beside what the law in force takes.
    engine = RegoEngine(partial(read_law, settings.shadow), replace(settings, threads=1))
    engine.watch(partial(law_state, settings.shadow))
    return LawShadow(engine, meter)


def read_law(place: Path, key: VerificationKey | None = None) -> Law:
    """The law of a folder or bundle, found well-formed; with a key, of a bundle that it signed.

    Raises FailedPrecondition.
    """
    if place.is_file():
        return check_law(read_bundle(place, key))
    if key is not None:
        raise FailedPrecondition(
            f"{place} is no signed bundle", remedy="name one, or no key to verify it with"
        )
    return check_law(load_law(place))
