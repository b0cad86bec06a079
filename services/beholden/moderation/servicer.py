"""ModerationService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.core.caller import caller
from beholden.core.errors import InvalidArgument
from beholden.moderation.coverage import Covered
from beholden.moderation.custom import Taught
from beholden.moderation.examples import Example
from beholden.moderation.pipeline import ModerationPipeline
from beholden.v1 import moderation_pb2, moderation_pb2_grpc
from beholden.wire.faces import model_version
from beholden.wire.gallery import timestamp
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
            calibration=_calibration(one.taught) if one.taught else None,
        )

    async def CreateModerationExample(
        self, request: moderation_pb2.CreateModerationExampleRequest, context: Any
    ) -> moderation_pb2.CreateModerationExampleResponse:
        """Keeps a picture's features as an example."""
        if bool(request.label.strip()) == request.ordinary:
            raise InvalidArgument("label", "must say what it is an example of, or ordinary be set")
        who = caller()
        example = await self._pipeline.custom.add(
            who.tenant,
            who.principal,
            request.image.content,
            label=request.label.strip(),
            media_sha256=who.media[0],
            request_id=request.request_id.lower(),
        )
        return moderation_pb2.CreateModerationExampleResponse(
            example=_example(example),
            model=model_version(self._pipeline.custom.model(who.tenant)),
        )

    async def ListModerationExamples(
        self, request: moderation_pb2.ListModerationExamplesRequest, context: Any
    ) -> moderation_pb2.ListModerationExamplesResponse:
        """Lists the tenant's examples."""
        page = await self._pipeline.custom.list(
            caller().tenant, request.page_size, request.page_token
        )
        return moderation_pb2.ListModerationExamplesResponse(
            examples=map(_example, page.items), next_page_token=page.next_token
        )

    async def DeleteModerationExample(
        self, request: moderation_pb2.DeleteModerationExampleRequest, context: Any
    ) -> moderation_pb2.DeleteModerationExampleResponse:
        """Deletes an example."""
        await self._pipeline.custom.delete(caller().tenant, request.name.rpartition("/")[2])
        return moderation_pb2.DeleteModerationExampleResponse()


def _example(one: Example) -> moderation_pb2.ModerationExample:
    return moderation_pb2.ModerationExample(
        name=f"moderationExamples/{one.id}",
        label=one.label,
        image_sha256=one.media_sha256,
        added_by=one.added_by,
        create_time=timestamp(one.added_ns),
    )


def _calibration(taught: Taught) -> moderation_pb2.ModerationCalibration:
    curve = taught.curve
    return moderation_pb2.ModerationCalibration(
        example_count=taught.count,
        other_count=taught.others,
        found=curve.found if curve else None,
        false_alarms=curve.false_alarms if curve else None,
    )
