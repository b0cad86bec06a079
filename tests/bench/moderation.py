"""What moderation tells of pictures that are known to be safe, and of kinds of picture it is taught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage
from PIL import Image, UnidentifiedImageError
from rich.table import Table

from beholden.v1 import image_pb2, moderation_pb2, moderation_pb2_grpc
from tests.house import House
from tests.pictures import DATA, encode

TENANT = "acme-platform"
RULES = {"custom": True}
_FRAMES = 16


@dataclass(frozen=True, slots=True)
class Told:
    """Of `pictures` so many were told `label`."""

    what: str
    label: str
    pictures: int
    told: int


class Moderator:
    """The moderation service of a house."""

    def __init__(self, home: House) -> None:
        self._headers = home.headers(TENANT)
        self._channel = home.channel()
        self._stub = moderation_pb2_grpc.ModerationServiceStub(self._channel)

    def labels(self, content: bytes, least: float | None = None) -> dict[str, float]:
        """Everything that is told at this threshold, or the default."""
        request = moderation_pb2.ModerateImageRequest(
            image=image_pb2.Image(content=content), min_confidence=least
        )
        found = self._stub.ModerateImage(request, metadata=self._headers)
        return {label.name: label.confidence for label in found.labels}

    def teach(self, content: bytes, label: str) -> None:
        """An example; an empty label is an ordinary picture."""
        request = moderation_pb2.CreateModerationExampleRequest(
            image=image_pb2.Image(content=content), label=label, ordinary=not label
        )
        self._stub.CreateModerationExample(request, metadata=self._headers)


def alarms(moderator: Moderator, kinds: Mapping[str, list[bytes]]) -> list[Told]:
    """Safe photographs that any label is told of, by kind and label; "any" is any label."""
    found = []
    for kind, pictures in kinds.items():
        told = Counter[str]()
        for content in pictures:
            labels = moderator.labels(content)
            told.update(labels.keys() | ({"any"} if labels else set()))
        found += [
            Told(kind, label, len(pictures), told[label]) for label in sorted(told | {"any": 0})
        ]
    return found


def taught(moderator: Moderator, kinds: Mapping[str, list[bytes]]) -> list[Told]:
    """Teaches one half of each kind, the last kind as ordinary, and asks about the other half."""
    names = list(kinds)
    for kind in names:
        for content in kinds[kind][::2]:
            moderator.teach(content, "" if kind == names[-1] else kind)
    asked = {kind: [moderator.labels(one) for one in kinds[kind][1::2]] for kind in names}
    return [
        Told(kind, label, len(asked[kind]), sum(label in labels for labels in asked[kind]))
        for kind in names
        for label in names[:-1]
    ]


def table(rows: list[Told]) -> Table:
    """What was told of which pictures."""
    shown = Table(title="What moderation tells")
    for name in ("pictures", "label", "there", "told"):
        shown.add_column(name, justify="right" if name in {"there", "told"} else "left")
    for row in rows:
        shown.add_row(row.what, row.label, str(row.pictures), str(row.told))
    return shown


def photographs() -> dict[str, list[bytes]]:
    """Real photographs of the test data, nothing unsafe in any, and those of scikit-image."""
    return {
        "faces": list(_files(DATA / "faces")),
        "groups": list(_files(DATA / "groups")),
        "street scenes with text": list(_files(DATA / "text" / "det_toy_dataset")),
        "pictures that scikit-image ships": list(_files(Path(skimage.__file__).parent / "data")),
    }


def kinds() -> dict[str, list[bytes]]:
    """The same, and frames of two videos, evenly spaced; what scikit-image ships comes last."""
    known = photographs()
    shipped = known.popitem()
    videos = {
        "a highway": "udacity_test_video.mp4",
        "a room with people": "one-by-one-person-detection.mp4",
    }
    frames = {name: list(_frames(DATA / "video" / file)) for name, file in videos.items()}
    return {**known, **frames, shipped[0]: shipped[1]}


def _files(folder: Path) -> Iterator[bytes]:
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in {".jpg", ".jpeg", ".png"}:
            try:
                picture = Image.open(file).convert("RGB")
            except UnidentifiedImageError:
                continue
            picture.thumbnail((1600, 1600))
            yield encode(picture, "JPEG", quality=92)


def _frames(file: Path) -> Iterator[bytes]:
    video = cv2.VideoCapture(str(file))
    last = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) - 2
    for place in np.linspace(0, last, _FRAMES).astype(int).tolist():
        video.set(cv2.CAP_PROP_POS_FRAMES, place)
        there, frame = video.read()
        if there:
            yield encode(np.ascontiguousarray(frame[..., ::-1]), "JPEG", quality=92)
