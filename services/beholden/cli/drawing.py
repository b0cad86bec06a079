"""Answers as marks on the picture that was asked about, for --draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beholden.cli.failures import Failure
from beholden.cli.words import score
from beholden.v1 import embedding_pb2, face_pb2, image_pb2, moderation_pb2, search_pb2

if TYPE_CHECKING:
    from beholden.vision.draw import Mark


def write(path: Path, image: image_pb2.Image, marks: Sequence[Mark], title: str = "") -> None:
    """Writes the picture with `marks` and `title` on it as PNG.

    Raises:
        Failure: the file cannot be written.
    """
    from beholden.vision.draw import annotate
    from beholden.vision.image import decode

    content = annotate(decode(image.content).pixels, marks, title=title)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", "INVALID_ARGUMENT") from None


def faces(found: Iterable[face_pb2.DetectedFace]) -> list[Mark]:
    """Every face with its confidence and landmarks."""
    return [mark(face, score(face.confidence, 2)) for face in found]


def matches(found: embedding_pb2.CompareFacesResponse) -> list[Mark]:
    """The target's faces: those that are alike with their similarity, and the others."""
    from beholden.vision.draw import FOUND, MATCHED

    alike = [mark(match.face, score(match.similarity, 2), MATCHED) for match in found.matches]
    return alike + [mark(face, "not alike", FOUND) for face in found.unmatched_faces]


def candidates(found: search_pb2.SearchFacesByImageResponse) -> list[Mark]:
    """The face that was searched for, with its best candidate's name."""
    from beholden.vision.draw import DOUBTFUL, MATCHED

    if not found.candidates:
        return [mark(found.searched_face, "nobody", DOUBTFUL)]
    best = found.candidates[0]
    name = best.face.external_image_id or best.face.name.rpartition("/")[2]
    return [mark(found.searched_face, f"{name} {score(best.similarity, 2)}", MATCHED)]


def verdict(found: moderation_pb2.ModerateImageResponse) -> str:
    """The labels of a picture in a line."""
    told = [f"{label.name} {score(label.confidence, 2)}" for label in found.labels]
    return ", ".join(told or ["nothing unsafe was told", *found.content_types])


def mark(face: face_pb2.DetectedFace, caption: str, colour: str = "") -> Mark:
    """A face's box and landmarks under `caption`."""
    from beholden.core.geometry import Box, Point
    from beholden.vision.draw import FOUND, Mark

    box = face.bounding_box
    return Mark(
        box=Box(box.x_min, box.y_min, box.x_max, box.y_max),
        caption=caption,
        points=tuple(Point(item.point.x, item.point.y) for item in face.landmarks),
        colour=colour or FOUND,
    )
