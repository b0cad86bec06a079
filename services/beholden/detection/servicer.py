"""DetectionService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.detection.pipeline import DetectionPipeline
from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2
from beholden.wire.faces import detected_face, model_version


class DetectionServicer(detection_pb2_grpc.DetectionServiceServicer):
    """See protos/beholden/v1/detection.proto."""

    def __init__(self, pipeline: DetectionPipeline) -> None:
        self._pipeline = pipeline

    async def DetectFaces(
        self, request: detection_pb2.DetectFacesRequest, context: Any
    ) -> detection_pb2.DetectFacesResponse:
        """Finds the faces in a picture."""
        found = await self._pipeline.detect_faces(
            request.image.content,
            min_confidence=request.min_confidence if request.HasField("min_confidence") else None,
            max_faces=request.max_faces,
        )
        return detection_pb2.DetectFacesResponse(
            faces=map(detected_face, found.faces),
            image_size=image_pb2.ImageSize(width=found.width, height=found.height),
            model=model_version(self._pipeline.model),
        )
