"""Faces and people as JSON texts, whole and back again; what does not fit is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from beholden.core.errors import InvalidArgument
from beholden.core.faces import Pose, Quality, Template
from beholden.core.gallery import Face, Person, PersonStatus, Provenance
from beholden.core.geometry import Box


def face_text(face: Face) -> str:
    """All that is kept of a face but its template."""
    said = asdict(face)
    del said["template"]
    return json.dumps(said, ensure_ascii=False)


def face_of(text: str, template: Template) -> Face:
    """The inverse of `face_text`. Raises InvalidArgument naming `batch.details`."""
    try:
        said = json.loads(text)
        quality, pose = said.pop("quality"), said.pop("pose")
        return Face(
            **{
                **said,
                "box": Box(**said["box"]),
                "provenance": Provenance(**said["provenance"]),
                "quality": Quality(**quality) if quality else None,
                "pose": Pose(**pose) if pose else None,
                "template": np.asarray(template, np.float32),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InvalidArgument("batch.details", "is no face as this version writes it") from None


def person_text(person: Person) -> str:
    """All that is kept of a person."""
    said: dict[str, Any] = asdict(person)
    del said["status"]
    return json.dumps(said, ensure_ascii=False)


def person_of(text: str) -> Person:
    """The inverse of `person_text`, without a status. Raises InvalidArgument naming `batch.people`."""
    try:
        said = json.loads(text)
        faces = tuple(map(str, said.pop("faces")))
        return Person(**said, faces=faces, status=PersonStatus.CREATED)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InvalidArgument("batch.people", "is no person as this version writes it") from None
