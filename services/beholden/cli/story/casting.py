"""Chooses who the story is about: the first picture in which a face is found."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from beholden.cli import pictures
from beholden.cli.failures import Failure
from beholden.cli.session import Options, Session
from beholden.v1 import detection_pb2, detection_pb2_grpc

_TRIED = 50


def hero(server: str, photos: Path, *, look: bool) -> Path:
    """The first of the first fifty pictures in `photos` with a face; the first, where none can `look`.

    Raises:
        Failure: there is none, or the server cannot be asked.
    """
    candidates = pictures.find([photos])
    if not look:
        return candidates[0]
    with Session(Options(server=server, tenant="daily-herald")).client as client:
        stub = client.stub(detection_pb2_grpc.DetectionServiceStub)
        for path in islice(candidates, _TRIED):
            try:
                request = detection_pb2.DetectFacesRequest(image=pictures.read(path))
                if client.call(stub.DetectFaces, request).message.faces:
                    return path
            except Failure as failure:
                if failure.status != "INVALID_ARGUMENT":
                    raise
    raise Failure(f"no face in the first {min(_TRIED, len(candidates))} pictures of {photos}")
