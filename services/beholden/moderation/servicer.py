"""ModerationService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.core.caller import caller
from beholden.moderation.coverage import Covered
from beholden.moderation.pipeline import ModerationPipeline
from beholden.v1 import moderation_pb2, moderation_pb2_grpc
from beholden.wire.faces import model_version
from beholden.wire.labels import named
from beholden.wire.moderation import moderation_label, parent, source


class ModerationServicer(moderation_pb2_grpc.ModerationServiceServicer):
    """See protos/beholden/v1/moderation.proto."""

    def __init__(self, pipeline: ModerationPipeline) -> None:
        self._pipeline = pipeline

    async def ModerateImage(
        self, request: moderation_pb2.ModerateImageRequest, context: Any
    ) -> moderation_pb2.ModerateImageResponse:
        """Names what may be unsafe in a picture."""
        verdict = await self._pipeline.moderate(
            request.image.content,
            tenant=caller().tenant,
            min_confidence=request.min_confidence if request.HasField("min_confidence") else None,
        )
        return moderation_pb2.ModerateImageResponse(
            labels=map(moderation_label, verdict.labels),
            content_types=verdict.content_types,
            models=map(model_version, verdict.models),
        )

    async def ListModerationLabels(
        self, request: moderation_pb2.ListModerationLabelsRequest, context: Any
    ) -> moderation_pb2.ListModerationLabelsResponse:
        """Lists every label, and what tells it."""
        tenant = caller().tenant
        page = await self._pipeline.labels(tenant, request.page_size, request.page_token)
        return moderation_pb2.ListModerationLabelsResponse(
            labels=[self._covered(tenant, one) for one in page.items],
            next_page_token=page.next_token,
        )

    def _covered(self, tenant: str, one: Covered) -> moderation_pb2.ModerationLabelCoverage:
        return moderation_pb2.ModerationLabelCoverage(
            name=one.name,
            parent_name=parent(one.parents),
            taxonomy_level=len(one.parents) + 1,
            source=source(one.source),
            coverage=f"MODERATION_COVERAGE_{one.coverage.value}",
            models=map(named, one.models),
            candidates=[
                moderation_pb2.ModerationCandidate(model=name, licence=self._pipeline.licence(name))
                for name in one.candidates
            ],
            min_confidence=self._pipeline.least(tenant, one),
        )
