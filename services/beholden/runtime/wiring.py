"""Opens the engines, and makes the services of them by explicit constructors: the only wiring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from opentelemetry import metrics

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.core.errors import InvalidArgument
from beholden.core.models import ModelSpec
from beholden.core.ports import Ledger, PolicyEngine, Reviews, Shadow
from beholden.guard.ids import decision_id
from beholden.inference.open import open_inference
from beholden.ledger.open import open_jobs, open_ledger, open_notices, open_reviews
from beholden.policy.open import open_policy, open_shadow
from beholden.policy.tenants import load_tenants
from beholden.runtime.authorities import LawAuthorities
from beholden.runtime.needs import SERVICES, keeps, roles_of
from beholden.runtime.rooms import Rooms
from beholden.runtime.served import Served
from beholden.runtime.settings import Settings
from beholden.runtime.video import VideoHall, permissions
from beholden.runtime.watching import watched, watched_inference, watched_store
from beholden.search.erasure.sweeper import Sweeper
from beholden.store.open import open_store


@dataclass(frozen=True, slots=True)
class House:
    """Everything that runs in this process; a role without a model is None in `models`."""

    policy: PolicyEngine
    ledger: Ledger
    reviews: Reviews
    authorities: LawAuthorities
    shadow: Shadow | None
    services: tuple[Served, ...]
    models: Mapping[str, ModelSpec | None]


@asynccontextmanager
async def house(settings: Settings, names: Sequence[str]) -> AsyncIterator[House]:
    """Builds what `names` need, and lets go of it in the reverse order.

    Raises InvalidArgument for a name that is no service; whatever an engine raises that does not open.
    """
    unknown = sorted(set(names) - set(SERVICES))
    if unknown:
        raise InvalidArgument("services", f"{unknown[0]} is none of {', '.join(SERVICES)}")
    rules = {name: one.moderation.rules() for name, one in load_tenants(settings.tenants).items()}
    roles = sorted({role for name in names for role in roles_of(name, rules)})
    async with AsyncExitStack() as stack:
        workers = stack.enter_context(ThreadPoolExecutor(settings.workers, "worker"))
        policy = watched(await open_policy(settings.policy_url, settings.policy), "policy")
        stack.push_async_callback(policy.close)
        shadow = open_shadow(settings.policy, metrics.get_meter("beholden"))
        if shadow is not None:
            stack.push_async_callback(shadow.close)
        ledger = watched(await open_ledger(settings.ledger_url, settings.ledger), "ledger")
        stack.push_async_callback(ledger.close)
        authorities = LawAuthorities(settings.law_folder)
        reviews = await open_reviews(
            settings.ledger_url, settings.ledger, settings.reviews, lambda: authorities().revoked
        )
        stack.push_async_callback(reviews.close)
        if settings.notices.url:
            notices = await open_notices(settings.ledger_url, settings.ledger, settings.notices)
            stack.push_async_callback(notices.close)
        models = await asyncio.to_thread(_models, settings, roles)
        engine = watched_inference(
            await open_inference(
                settings.inference_url,
                settings.model_repository,
                [model for model in models.values() if model is not None],
                settings.inference,
            )
        )
        stack.push_async_callback(engine.close)
        store = None
        if any(keeps(name, rules) for name in names) or _shares(settings, names):
            store = watched_store(await open_store(settings.store_url, settings.store))
            stack.push_async_callback(store.close)
        if store is not None and "search" in names:
            sweeper = Sweeper(
                store,
                ledger,
                lambda: authorities().revoked,
                decision_id,
                seconds=settings.search.sweep_seconds,
            )
            stack.push_async_callback(_ended, asyncio.create_task(sweeper.run()))
        rooms = Rooms(
            settings, workers, engine, store, policy, ledger, reviews, shadow, models, rules
        )
        served = [rooms.served(name) for name in names if name != "video"]
        if "video" in names:
            jobs = await open_jobs(settings.ledger_url, settings.ledger, settings.jobs)
            stack.push_async_callback(jobs.close)
            law = permissions(settings, policy, ledger, authorities)
            hall = VideoHall(settings, workers, jobs, law, rooms.eyes())
            await stack.enter_async_context(hall.working())
            served += hall.served(rooms.ready("video"))
        yield House(policy, ledger, reviews, authorities, shadow, tuple(served), models)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _shares(settings: Settings, names: Sequence[str]) -> bool:
    """Whether video searches galleries that another process serves too: only a Milvus server can."""
    return "video" in names and not settings.store_url.startswith("file:")


def _models(settings: Settings, roles: Sequence[str]) -> dict[str, ModelSpec | None]:
    catalog = load_catalog(settings.catalog)
    return {
        role: available(catalog, settings.model_repository, role, settings.models.get(role, ""))
        for role in roles
    }
