"""Builds the engines, the pipelines and the servicers by explicit constructors: the only wiring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.descriptor import FileDescriptor
from opentelemetry import metrics

from beholden.catalog.entries import load_catalog
from beholden.catalog.moderation import load_moderation
from beholden.catalog.repository import available
from beholden.catalog.taxonomy import load_taxonomy
from beholden.core.errors import InvalidArgument
from beholden.core.models import (
    ACTION_CLASSIFIER,
    FACE_DETECTOR,
    FACE_EMBEDDER,
    MODERATOR,
    OBJECT_DETECTOR,
    PICTURE_CLASSIFIER,
    PICTURE_EMBEDDER,
    POSE,
    TEXT_DETECTOR,
    TEXT_RECOGNISER,
    UNSAFE_DETECTOR,
    ModelSpec,
)
from beholden.core.moderation import ModerationRules
from beholden.core.ports import FaceStore, InferenceEngine, Ledger, PolicyEngine, Reviews, Shadow
from beholden.detection.actions import ActionPipeline
from beholden.detection.attributes import ROLES as ATTRIBUTE_ROLES
from beholden.detection.attributes import AttributePipeline
from beholden.detection.bodies import BodyPipeline
from beholden.detection.labels import LabelPipeline
from beholden.detection.pipeline import DetectionPipeline
from beholden.detection.redaction import RedactionPipeline
from beholden.detection.servicer import DetectionServicer
from beholden.detection.text import TextPipeline
from beholden.embedding.pipeline import EmbeddingPipeline
from beholden.embedding.servicer import EmbeddingServicer
from beholden.governance.pipeline import GovernancePipeline
from beholden.governance.reviews import ReviewPipeline
from beholden.governance.servicer import GovernanceServicer
from beholden.guard.ids import decision_id
from beholden.inference.open import open_inference
from beholden.ledger.open import open_jobs, open_ledger, open_notices, open_reviews
from beholden.moderation.custom import CustomModeration
from beholden.moderation.pipeline import ModerationPipeline
from beholden.moderation.servicer import ModerationServicer
from beholden.policy.open import open_policy, open_shadow
from beholden.policy.tenants import load_tenants
from beholden.runtime.authorities import LawAuthorities
from beholden.runtime.health import Probe
from beholden.runtime.served import Served
from beholden.runtime.settings import Settings
from beholden.runtime.video import Matcher, VideoHall, permissions
from beholden.runtime.watching import watched, watched_inference, watched_store
from beholden.search.erasure.sweeper import Sweeper
from beholden.search.pipeline import SearchPipeline
from beholden.search.servicer import SearchServicer
from beholden.store.open import open_store
from beholden.v1 import (
    detection_pb2,
    detection_pb2_grpc,
    embedding_pb2,
    embedding_pb2_grpc,
    governance_pb2,
    governance_pb2_grpc,
    moderation_pb2,
    moderation_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
)
from beholden.video.sample import Eyes

SERVICES = ("detection", "embedding", "search", "moderation", "governance", "video")
"""What `beholden serve` can serve, by name."""

_MODERATING = (MODERATOR, UNSAFE_DETECTOR, PICTURE_CLASSIFIER, OBJECT_DETECTOR)
"""The roles that may tell what is unsafe, where models/moderation.yaml has classes of their model."""

_MODERATE = {"moderation", "detection"}
"""The services that tell what is unsafe: one names it, the other hides it."""

_ROLES: Mapping[str, tuple[str, ...]] = {
    "detection": (
        FACE_DETECTOR,
        *ATTRIBUTE_ROLES,
        OBJECT_DETECTOR,
        PICTURE_CLASSIFIER,
        TEXT_DETECTOR,
        TEXT_RECOGNISER,
        MODERATOR,
        UNSAFE_DETECTOR,
    ),
    "embedding": (FACE_DETECTOR, FACE_EMBEDDER),
    "search": (FACE_DETECTOR, FACE_EMBEDDER),
    "moderation": _MODERATING,
    "governance": (),
    "video": (
        FACE_DETECTOR,
        FACE_EMBEDDER,
        ACTION_CLASSIFIER,
        POSE,
        TEXT_DETECTOR,
        TEXT_RECOGNISER,
        *_MODERATING,
    ),
}


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
    roles = sorted({role for name in names for role in _roles(name, rules)})
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
        if any(_stores(name, rules) for name in names) or _shares(settings, names):
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
        rooms = _Rooms(
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


def _roles(service: str, rules: Mapping[str, ModerationRules]) -> tuple[str, ...]:
    """What a service asks, by what the tenants have set."""
    roles = _ROLES[service]
    if service == "moderation" and any(own.blocklists for own in rules.values()):
        roles += (TEXT_DETECTOR, TEXT_RECOGNISER)
    if service in _MODERATE and any(own.custom for own in rules.values()):
        roles += (PICTURE_EMBEDDER,)
    return roles


def _stores(service: str, rules: Mapping[str, ModerationRules]) -> bool:
    """Whether a service keeps anything: galleries, or tenants' examples."""
    custom = any(own.custom for own in rules.values())
    return service == "search" or (service in _MODERATE and custom)


def _models(settings: Settings, roles: Sequence[str]) -> dict[str, ModelSpec | None]:
    catalog = load_catalog(settings.catalog)
    return {
        role: available(catalog, settings.model_repository, role, settings.models.get(role, ""))
        for role in roles
    }


@dataclass(frozen=True, slots=True)
class _Rooms:
    """The engines, and the one way each service is made of them."""

    settings: Settings
    workers: Executor
    engine: InferenceEngine
    store: FaceStore | None
    policy: PolicyEngine
    ledger: Ledger
    reviews: Reviews
    shadow: Shadow | None
    models: Mapping[str, ModelSpec | None]
    rules: Mapping[str, ModerationRules]

    def served(self, name: str) -> Served:
        """The service `name`, ready to join a server."""
        join: Callable[[Any, grpc.aio.Server], None]
        servicer: Any
        file: FileDescriptor
        match name:
            case "detection":
                file = detection_pb2.DESCRIPTOR
                join = detection_pb2_grpc.add_DetectionServiceServicer_to_server
                servicer = self._detection()
            case "embedding":
                file = embedding_pb2.DESCRIPTOR
                join = embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server
                servicer = EmbeddingServicer(self._embedder())
            case "search":
                file = search_pb2.DESCRIPTOR
                join = search_pb2_grpc.add_SearchServiceServicer_to_server
                servicer = SearchServicer(self._search())
            case "moderation":
                file = moderation_pb2.DESCRIPTOR
                join = moderation_pb2_grpc.add_ModerationServiceServicer_to_server
                servicer = ModerationServicer(self._moderation())
            case _:
                file = governance_pb2.DESCRIPTOR
                join = governance_pb2_grpc.add_GovernanceServiceServicer_to_server
                servicer = GovernanceServicer(
                    GovernancePipeline(self.policy, self.ledger, self.shadow),
                    ReviewPipeline(self.reviews, self.policy, self.ledger),
                )
        return Served(
            descriptor=file.services_by_name[f"{name.capitalize()}Service"],
            join=partial(join, servicer),
            probe=self.ready(name),
        )

    def _detection(self) -> DetectionServicer:
        settings = self.settings.detection
        finder, text = self._finder(self._attributes()), self._text()
        redaction = RedactionPipeline(finder, text, self._moderation(), self.workers, settings)
        return DetectionServicer(finder, self._labels(), text, redaction)

    def _finder(self, attributes: AttributePipeline | None = None) -> DetectionPipeline:
        return DetectionPipeline(
            self.engine,
            self.models[FACE_DETECTOR],
            self.workers,
            self.settings.detection,
            attributes,
        )

    def _attributes(self) -> AttributePipeline:
        return AttributePipeline(self.engine, self.models, self.workers)

    def _labels(self) -> LabelPipeline:
        return LabelPipeline(
            self.engine,
            self.workers,
            self.settings.detection,
            detector=self.models[OBJECT_DETECTOR],
            classifier=self.models[PICTURE_CLASSIFIER],
            taxonomy=load_taxonomy(self.settings.taxonomy),
        )

    def _text(self) -> TextPipeline:
        return TextPipeline(
            self.engine,
            self.workers,
            self.settings.detection,
            detector=self.models.get(TEXT_DETECTOR),
            recogniser=self.models.get(TEXT_RECOGNISER),
        )

    def _embedder(self) -> EmbeddingPipeline:
        return EmbeddingPipeline(
            self.engine,
            self.models[FACE_EMBEDDER],
            self._finder(),
            self.workers,
            self.settings.embedding,
        )

    def _search(self) -> SearchPipeline:
        assert self.store is not None
        return SearchPipeline(
            self.store, self._embedder(), self.settings.search, self.settings.enrolment
        )

    def _moderation(self) -> ModerationPipeline:
        catalog = load_catalog(self.settings.catalog)
        taxonomy = load_moderation(self.settings.moderation_taxonomy, catalog)
        return ModerationPipeline(
            self.engine,
            self.workers,
            self.settings.moderation,
            models=[model for role in _MODERATING if (model := self.models[role])],
            taxonomy=taxonomy,
            rules=self.rules,
            licences={entry.name: entry.licence for entry in catalog.models},
            reader=self._text(),
            custom=CustomModeration(
                self.engine,
                self.workers,
                self.settings.moderation,
                model=self.models.get(PICTURE_EMBEDDER),
                store=self.store,
                rules=self.rules,
                taxonomy=taxonomy,
            ),
        )

    def eyes(self) -> Eyes:
        """Those who look at video."""
        search = None if self.store is None else self._search()
        return Eyes(
            labels=self._labels(),
            faces=self._finder(),
            matcher=Matcher(self._embedder(), search),
            text=self._text(),
            moderator=self._moderation(),
            bodies=BodyPipeline(self.engine, self.workers, self.models[POSE]),
            actions=ActionPipeline(self.engine, self.models[ACTION_CLASSIFIER]),
        )

    def ready(self, name: str) -> Probe:
        """When the service `name` is ready."""
        return partial(self._ready, _roles(name, self.rules), store=_stores(name, self.rules))

    async def _ready(self, roles: Sequence[str], *, store: bool) -> bool:
        """A role that is off is the operator's choice: the rest of the service is still ready."""
        asked = [self.engine.ready(model) for role in roles if (model := self.models[role])]
        asked.append(self.ledger.ready())
        if store and self.store is not None:
            asked.append(self.store.ready())
        ready = await asyncio.gather(*asked)
        return all(ready) and (await self.policy.status()).healthy
