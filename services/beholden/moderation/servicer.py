"""ModerationService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.moderation.pipeline import ModerationPipeline
from beholden.v1 import moderation_pb2, moderation_pb2_grpc
from beholden.wire.faces import model_version


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
            request.min_confidence if request.HasField("min_confidence") else None,
        )
        return moderation_pb2.ModerateImageResponse(
            labels=[
                moderation_pb2.ModerationLabel(
                    name=label.name,
                    parent_name=label.parent,
                    taxonomy_level=label.level,
                    confidence=label.confidence,
                )
                for label in verdict.labels
            ],
            content_types=verdict.content_types,
            model=model_version(verdict.model),
        )
