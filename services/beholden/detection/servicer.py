"""DetectionService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.core.caller import caller
from beholden.detection.labels import LabelPipeline
from beholden.detection.pipeline import DetectionPipeline
from beholden.detection.redaction import RedactionPipeline
from beholden.detection.text import TextPipeline, WordFilter
from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2, label_pb2
from beholden.wire import attributes
from beholden.wire.faces import box, detected_face, model_version
from beholden.wire.labels import label, look
from beholden.wire.redaction import kinds, redaction, style
from beholden.wire.text import texts

_MOST_COLOURS = 10


class DetectionServicer(detection_pb2_grpc.DetectionServiceServicer):
    """See protos/beholden/v1/detection.proto."""

    def __init__(
        self,
        pipeline: DetectionPipeline,
        labels: LabelPipeline,
        text: TextPipeline,
        redaction: RedactionPipeline,
    ) -> None:
        self._pipeline = pipeline
        self._labels = labels
        self._text = text
        self._redaction = redaction

    async def DetectFaces(
        self, request: detection_pb2.DetectFacesRequest, context: Any
    ) -> detection_pb2.DetectFacesResponse:
        """Finds the faces in a picture."""
        found = await self._pipeline.detect_faces(
            request.image.content,
            min_confidence=request.min_confidence if request.HasField("min_confidence") else None,
            max_faces=request.max_faces,
            attributes=attributes.asked(request.attributes),
            withheld=attributes.withheld(caller().withheld),
        )
        return detection_pb2.DetectFacesResponse(
            faces=map(detected_face, found.faces, found.attributes),
            image_size=image_pb2.ImageSize(width=found.width, height=found.height),
            model=model_version(self._pipeline.model),
            attribute_models=map(model_version, found.models),
        )

    async def DetectLabels(
        self, request: detection_pb2.DetectLabelsRequest, context: Any
    ) -> detection_pb2.DetectLabelsResponse:
        """Names what a picture shows."""
        asked = request.image_properties.max_dominant_colors or _MOST_COLOURS
        found = await self._labels.detect(
            request.image.content,
            min_confidence=request.min_confidence if request.HasField("min_confidence") else None,
            max_labels=request.max_labels,
            wanted=self._labels.filter(
                request.filter.include_labels,
                request.filter.include_categories,
                request.filter.exclude_labels,
                request.filter.exclude_categories,
            ),
            max_colours=asked if request.HasField("image_properties") else 0,
        )
        properties = None
        if (looks := found.properties) is not None:
            properties = label_pb2.ImageProperties(
                whole=look(looks.whole),
                foreground=look(looks.foreground),
                background=look(looks.background),
            )
        return detection_pb2.DetectLabelsResponse(
            labels=map(label, found.labels),
            person_count=found.people,
            image_properties=properties,
            image_size=image_pb2.ImageSize(width=found.width, height=found.height),
            models=map(model_version, found.models),
        )

    async def DetectText(
        self, request: detection_pb2.DetectTextRequest, context: Any
    ) -> detection_pb2.DetectTextResponse:
        """Reads what is written in a picture."""
        asked = request.word_filter
        found = await self._text.detect(
            request.image.content,
            WordFilter(
                min_confidence=asked.min_confidence if asked.HasField("min_confidence") else None,
                min_height=asked.min_height,
                min_width=asked.min_width,
            ),
            list(map(box, request.regions)),
        )
        return detection_pb2.DetectTextResponse(
            texts=texts(found.lines),
            image_size=image_pb2.ImageSize(width=found.width, height=found.height),
            models=map(model_version, found.models),
        )

    async def RedactImage(
        self, request: detection_pb2.RedactImageRequest, context: Any
    ) -> detection_pb2.RedactImageResponse:
        """Gives the picture back with less to be seen."""
        done = await self._redaction.redact(
            request.image.content,
            kinds(request.kinds),
            style(request.style),
            request.min_unsafe_confidence if request.HasField("min_unsafe_confidence") else None,
        )
        return detection_pb2.RedactImageResponse(
            content=done.content,
            mime_type=done.mime_type,
            redactions=map(redaction, done.redactions),
            image_size=image_pb2.ImageSize(width=done.width, height=done.height),
            models=map(model_version, done.models),
        )
