"""What may be asked of a video, and what each is to the law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from beholden.core.law import Json


class Feature(StrEnum):
    """The names are the proto enum's, less its prefix."""

    LABELS = "LABELS"
    FACES = "FACES"
    FACE_SEARCH = "FACE_SEARCH"
    TEXT = "TEXT"
    MODERATION = "MODERATION"
    SEGMENTS = "SEGMENTS"
    PEOPLE = "PEOPLE"
    ACTIVITIES = "ACTIVITIES"
    REDACTION = "REDACTION"


ACTIONS: Mapping[Feature, str] = {
    Feature.LABELS: "label.detect",
    Feature.FACES: "face.detect",
    Feature.FACE_SEARCH: "face.search_by_image",
    Feature.TEXT: "text.detect",
    Feature.MODERATION: "content.moderate",
    Feature.SEGMENTS: "video.segment",
    Feature.PEOPLE: "person.track",
    Feature.ACTIVITIES: "activity.detect",
    Feature.REDACTION: "image.redact",
}
"""Each feature is asked about as what it does, so that a ban of face search holds in video too."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What is asked of one video; None and 0 are the operator's choice.

    `path` is the file on disk, `upload` says that it is ours to delete.
    """

    path: str
    upload: bool
    features: tuple[Feature, ...]
    min_confidence: float | None = None
    collection: str = ""
    min_similarity: float | None = None
    max_results: int = 0
    every_frame: bool = False

    def document(self) -> dict[str, Json]:
        """Plain JSON."""
        return {
            "path": self.path,
            "upload": self.upload,
            "features": list(self.features),
            "min_confidence": self.min_confidence,
            "collection": self.collection,
            "min_similarity": self.min_similarity,
            "max_results": self.max_results,
            "every_frame": self.every_frame,
        }


def read_spec(document: Mapping[str, Json]) -> Spec:
    """The spec that `document` was made from."""
    values: dict[str, object] = dict(document)
    features = values.pop("features")
    assert isinstance(features, list)
    return Spec(features=tuple(map(Feature, features)), **values)  # type: ignore[arg-type]
