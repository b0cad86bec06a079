"""What the code needs to know of one model: its name, its tensors, and how its scores are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACTION_CLASSIFIER = "action-classifier"
FACE_DETECTOR = "face-detector"
FACE_EMBEDDER = "face-embedder"
FACE_AGE_GENDER = "face-age-gender"
FACE_EMOTION = "face-emotion"
FACE_ANTISPOOF = "face-antispoof"
FACE_LIVENESS = "face-liveness"
MODERATOR = "moderator"
OBJECT_DETECTOR = "object-detector"
PICTURE_CLASSIFIER = "picture-classifier"
PICTURE_EMBEDDER = "picture-embedder"
POSE = "pose"
TEXT_DETECTOR = "text-detector"
TEXT_RECOGNISER = "text-recogniser"
UNSAFE_DETECTOR = "unsafe-detector"


_OBJECTS = {"yolox": 1, "detr": 2, "centernet": 2, "yolov8": 1}

DECODERS: Mapping[str, Mapping[str, int]] = {
    OBJECT_DETECTOR: _OBJECTS,
    UNSAFE_DETECTOR: _OBJECTS,
    PICTURE_CLASSIFIER: {"classifier": 1},
    POSE: {"points": 1},
    ACTION_CLASSIFIER: {"clip": 1},
}
"""The ways in which a role's answers can be read, by name, and how many outputs each reads."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output: `dtype` is numpy's name; -1 in `shape` is any size, the first is the batch."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Strangers:
    """How often an embedder takes strangers for one person.

    `reaching` has how many of `pairs` reach each similarity, the similarities ascending.
    """

    pairs: int
    reaching: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One servable model.

    `name` is its name in the Triton repository, `version` the number of its folder there, `digest`
    the SHA-256 of the ONNX file as hex. `parameters` are the catalogue's constants for reading its
    scores (thresholds, calibration), `labels` its classes in output order. `decoder` names the way in
    which its answers are read, where its role knows more than one; `alignment` where an embedder's
    chips have the face's points (`vision.align.ALIGNMENTS`).
    """

    name: str
    version: int
    role: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    digest: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    max_batch: int = 1
    decoder: str = ""
    strangers: Strangers | None = None
    alignment: str = ""

    @property
    def id(self) -> str:
        """Name and version as answers report them, for example `centerface@1`."""
        return f"{self.name}@{self.version}"
