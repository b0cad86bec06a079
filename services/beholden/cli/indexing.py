"""What became of many pictures that were to be enrolled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from beholden.cli import many
from beholden.cli.client import Answer
from beholden.cli.failures import Failure
from beholden.v1 import search_pb2

Result = Answer[search_pb2.IndexFacesResponse] | Failure


@dataclass
class Tally(many.Tally[search_pb2.IndexFacesResponse]):
    """Counts the faces too: those enrolled, those left out by reason, and pictures without one."""

    faces: int = 0
    faceless: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def count(self, response: search_pb2.IndexFacesResponse) -> None:
        """Counts what one answer has."""
        self.faces += len(response.faces)
        self.faceless += not (response.faces or response.unindexed_faces)
        for face in response.unindexed_faces:
            for reason in face.reasons:
                name = search_pb2.UnindexedReason.Name(reason)
                self.left_out[name.removeprefix("UNINDEXED_REASON_")] += 1
