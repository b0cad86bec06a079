"""Beholden's services from Python: `Client`, and `AsyncClient` for asyncio.

Both have one method for each RPC, named as the protos name it (`detect_faces` for DetectFaces) and
with its request's fields as arguments. Needs grpcio, protobuf and googleapis-common-protos only.
"""

from beholden.client.aio import AsyncPages, AsyncStream
from beholden.client.answers import Answer
from beholden.client.async_methods import AsyncClient
from beholden.client.calls import Pages, Stream
from beholden.client.declarations import Said
from beholden.client.errors import (
    AlreadyExists,
    DeadlineExceeded,
    Denied,
    Error,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from beholden.client.methods import Client
from beholden.client.operations import AsyncOperation, Operation

__all__ = [
    "AlreadyExists",
    "Answer",
    "AsyncClient",
    "AsyncOperation",
    "AsyncPages",
    "AsyncStream",
    "Client",
    "DeadlineExceeded",
    "Denied",
    "Error",
    "FailedPrecondition",
    "InvalidArgument",
    "NotFound",
    "Operation",
    "Pages",
    "ResourceExhausted",
    "Said",
    "Stream",
    "Unauthenticated",
    "Unavailable",
]
