"""EmbeddingService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.embedding.pipeline import EmbeddingPipeline
from beholden.v1 import embedding_pb2, embedding_pb2_grpc
from beholden.wire.faces import detected_face, model_version


class EmbeddingServicer(embedding_pb2_grpc.EmbeddingServiceServicer):
    """See protos/beholden/v1/embedding.proto."""

    def __init__(self, pipeline: EmbeddingPipeline) -> None:
        self._pipeline = pipeline

    async def EmbedFaces(
        self, request: embedding_pb2.EmbedFacesRequest, context: Any
    ) -> embedding_pb2.EmbedFacesResponse:
        """Returns a template for each face of a picture."""
        found = await self._pipeline.embed(request.image.content, max_faces=request.max_faces)
        return embedding_pb2.EmbedFacesResponse(
            faces=[
                embedding_pb2.EmbeddedFace(face=detected_face(item.face), template=item.template)
                for item in found
            ],
            model=model_version(self._pipeline.model),
        )

    async def CompareFaces(
        self, request: embedding_pb2.CompareFacesRequest, context: Any
    ) -> embedding_pb2.CompareFacesResponse:
        """Compares the largest face of one picture with every face of another."""
        result = await self._pipeline.compare(
            request.source.content,
            request.target.content,
            request.min_similarity if request.HasField("min_similarity") else None,
        )
        return embedding_pb2.CompareFacesResponse(
            source_face=detected_face(result.source),
            matches=[
                embedding_pb2.FaceMatch(face=detected_face(face), similarity=score)
                for face, score in result.matches
            ],
            unmatched_faces=map(detected_face, result.unmatched),
            model=model_version(self._pipeline.model),
        )
