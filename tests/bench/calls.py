"""One ask for each RPC, over a channel, on a real picture."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Awaitable, Callable, Mapping

import grpc
from PIL import Image

from beholden.v1 import (
    collection_pb2,
    detection_pb2,
    detection_pb2_grpc,
    embedding_pb2,
    embedding_pb2_grpc,
    governance_pb2,
    governance_pb2_grpc,
    image_pb2,
    moderation_pb2,
    moderation_pb2_grpc,
    redaction_pb2,
    search_pb2,
    search_pb2_grpc,
)

Ask = Callable[[], Awaitable[object]]
PARENT = "collections/bench"


def picture() -> bytes:
    """scikit-image's astronaut (NASA, public domain) as a JPEG of 512 x 512 pixels."""
    from skimage import data

    out = io.BytesIO()
    Image.fromarray(data.astronaut()).save(out, "JPEG", quality=90)
    return out.getvalue()


async def prepare(channel: grpc.aio.Channel, metadata: list[tuple[str, str]]) -> Mapping[str, Ask]:
    """Makes a collection with one face, and returns an ask for each RPC."""
    image = image_pb2.Image(content=picture())
    search = search_pb2_grpc.SearchServiceStub(channel)
    with contextlib.suppress(grpc.aio.AioRpcError):  # it is there from the run before
        await search.CreateCollection(
            search_pb2.CreateCollectionRequest(collection_id="bench"), metadata=metadata
        )
    index = search_pb2.IndexFacesRequest(
        parent=PARENT,
        image=image,
        external_image_id="astronaut",
        provenance=collection_pb2.Provenance(source="bench", legal_basis="public domain"),
    )
    indexed = await search.IndexFaces(index, metadata=metadata)
    detection = detection_pb2_grpc.DetectionServiceStub(channel)
    embedding = embedding_pb2_grpc.EmbeddingServiceStub(channel)
    moderation = moderation_pb2_grpc.ModerationServiceStub(channel)
    governance = governance_pb2_grpc.GovernanceServiceStub(channel)
    asked = {
        "GetPolicyStatus": (governance.GetPolicyStatus, governance_pb2.GetPolicyStatusRequest()),
        "ExplainAccess": (
            governance.ExplainAccess,
            governance_pb2.ExplainAccessRequest(action="face.search"),
        ),
        "GetCollection": (search.GetCollection, search_pb2.GetCollectionRequest(name=PARENT)),
        "ListFaces": (search.ListFaces, search_pb2.ListFacesRequest(parent=PARENT)),
        "SearchFaces": (
            search.SearchFaces,
            search_pb2.SearchFacesRequest(name=indexed.faces[0].face.name),
        ),
        "DetectFaces": (detection.DetectFaces, detection_pb2.DetectFacesRequest(image=image)),
        "DetectLabels": (detection.DetectLabels, detection_pb2.DetectLabelsRequest(image=image)),
        "DetectText": (detection.DetectText, detection_pb2.DetectTextRequest(image=image)),
        "EmbedFaces": (embedding.EmbedFaces, embedding_pb2.EmbedFacesRequest(image=image)),
        "CompareFaces": (
            embedding.CompareFaces,
            embedding_pb2.CompareFacesRequest(source=image, target=image),
        ),
        "SearchFacesByImage": (
            search.SearchFacesByImage,
            search_pb2.SearchFacesByImageRequest(parent=PARENT, image=image),
        ),
        "IndexFaces": (search.IndexFaces, index),
        "RedactImage": (
            detection.RedactImage,
            detection_pb2.RedactImageRequest(
                image=image, kinds=[redaction_pb2.REDACTION_KIND_FACE]
            ),
        ),
        "ModerateImage": (
            moderation.ModerateImage,
            moderation_pb2.ModerateImageRequest(image=image),
        ),
    }

    def ask(call: Callable[..., Awaitable[object]], request: object) -> Ask:
        return lambda: call(request, metadata=metadata)

    return {name: ask(call, request) for name, (call, request) in asked.items()}
