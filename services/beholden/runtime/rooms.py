"""The pipelines and the servicers, each made of the engines in one way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.descriptor import FileDescriptor

from beholden.catalog.entries import load_catalog
from beholden.catalog.moderation import load_moderation
from beholden.catalog.taxonomy import load_taxonomy
from beholden.core.models import (
    ACTION_CLASSIFIER,
    FACE_DETECTOR,
    FACE_EMBEDDER,
    OBJECT_DETECTOR,
    PICTURE_CLASSIFIER,
    PICTURE_EMBEDDER,
    POSE,
    TEXT_DETECTOR,
    TEXT_RECOGNISER,
    ModelSpec,
)
from beholden.core.moderation import ModerationRules
from beholden.core.ports import FaceStore, InferenceEngine, Ledger, PolicyEngine, Reviews, Shadow
from beholden.detection.actions import ActionPipeline
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
from beholden.moderation.custom import CustomModeration
from beholden.moderation.pipeline import ModerationPipeline
from beholden.moderation.servicer import ModerationServicer
from beholden.runtime.health import Probe
from beholden.runtime.needs import MODERATING, keeps, roles_of
from beholden.runtime.served import Served
from beholden.runtime.settings import Settings
from beholden.runtime.video import Matcher
from beholden.search.pipeline import SearchPipeline
from beholden.search.servicer import SearchServicer
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


@dataclass(frozen=True, slots=True)
class Rooms:
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
            models=[model for role in MODERATING if (model := self.models[role])],
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
        return partial(self._ready, roles_of(name, self.rules), store=keeps(name, self.rules))

    async def _ready(self, roles: Sequence[str], *, store: bool) -> bool:
        """A role that is off is the operator's choice: the rest of the service is still ready."""
        asked = [self.engine.ready(model) for role in roles if (model := self.models[role])]
        asked.append(self.ledger.ready())
        if store and self.store is not None:
            asked.append(self.store.ready())
        ready = await asyncio.gather(*asked)
        return all(ready) and (await self.policy.status()).healthy
