"""A video with what was found in it: boxes that follow what moves, or faces that nobody can know."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from beholden.cli.failures import Failure
from beholden.core.errors import InvalidArgument
from beholden.core.geometry import Box
from beholden.core.redaction import RedactionStyle, within
from beholden.core.video import VideoLimits
from beholden.v1 import video_pb2

if TYPE_CHECKING:
    from rich.progress import Progress

    from beholden.core.faces import Pixels

_COLOURS = ((56, 189, 248), (74, 222, 128), (251, 191, 36), (251, 113, 133), (192, 132, 252))
_LONGEST_GAP_US = 3_000_000
_HELD_US = 500_000
_HIDDEN_MARGIN = 0.25
_FACES = frozenset((video_pb2.VIDEO_FEATURE_FACES, video_pb2.VIDEO_FEATURE_REDACTION))
_HIDDEN = frozenset((video_pb2.VIDEO_FEATURE_REDACTION,))

Path_ = Sequence[tuple[int, Box]]
"""Where one thing was when it was looked at, by time."""


class Tracks:
    """Where everything is at any time, between the frames that were looked at too."""

    def __init__(self, frames: Iterable[video_pb2.VideoAnnotation]) -> None:
        self._paths: dict[tuple[int, str, int], list[tuple[int, Box]]] = defaultdict(list)
        alone = count(1)
        for one in frames:
            if one.HasField("bounding_box"):
                box = one.bounding_box
                # Who is not followed is nobody's other sighting.
                number = one.track_id or -next(alone) * (one.feature in _FACES)
                key = (one.feature, one.name, number)
                place = Box(box.x_min, box.y_min, box.x_max, box.y_max)
                self._paths[key].append((one.start_offset.ToMicroseconds(), place))
        for path in self._paths.values():
            path.sort(key=lambda seen: seen[0])

    def at(
        self, time_us: int, features: frozenset[int] | None = None
    ) -> Mapping[tuple[int, str, int], Box]:
        """The box of everything that is there, by feature, name and number."""
        return {
            key: box
            for key, path in self._paths.items()
            if features is None or key[0] in features
            if (box := _between(path, time_us)) is not None
        }


def write(source: Path, out: Path, tracks: Tracks, *, hide_faces: bool, progress: Progress) -> None:
    """Writes `source` as H.264 with its boxes, or with its faces hidden, without sound.

    Raises:
        Failure: the video cannot be read here, or the file cannot be written.
    """
    from beholden.media.pyav import AvReader
    from beholden.media.writing import Writer
    from beholden.vision.redact import around_head, hide

    try:
        with AvReader(VideoLimits()).open(source, field="video") as clip:
            info = clip.info
            out.parent.mkdir(parents=True, exist_ok=True)
            writer = Writer(out, (info.width, info.height), info.rate)
            task = progress.add_task(f"writing {out.name}", total=100 if info.duration_us else None)
            try:
                for frame in clip.frames():
                    pixels = frame.pixels(max(info.width, info.height)).copy()
                    if hide_faces:
                        shown = tracks.at(frame.time_us, _HIDDEN).values()
                        heads = [within(around_head(box, _HIDDEN_MARGIN)) for box in shown]
                        hide(pixels, heads, RedactionStyle.PIXELATE)
                    else:
                        for (feature, name, number), box in tracks.at(frame.time_us).items():
                            if feature in _HIDDEN:
                                continue
                            _frame(pixels, box, f"{name} {number}" if number > 0 else name, number)
                    writer.add(pixels, frame.time_us)
                    progress.update(task, completed=100 * frame.time_us // (info.duration_us or 1))
            finally:
                writer.close()
    except InvalidArgument as error:
        raise Failure(error.message, "INVALID_ARGUMENT", error.reason) from None
    except OSError as error:
        raise Failure(f"cannot write {out}: {error.strerror}", "INVALID_ARGUMENT") from None


def _between(path: Path_, time_us: int) -> Box | None:
    """Where it is at `time_us`: on the line between two places; a little before and after, where it was."""
    place = bisect_right(path, time_us, key=lambda seen: seen[0])
    if place == 0:
        return path[0][1] if path[0][0] - time_us <= _HELD_US else None
    if place == len(path):
        return path[-1][1] if time_us - path[-1][0] <= _HELD_US else None
    (before, one), (after, other) = path[place - 1], path[place]
    if after - before > _LONGEST_GAP_US:
        return one if time_us - before <= _HELD_US else None
    share = (time_us - before) / (after - before)
    corners = (
        (1 - share) * getattr(one, side) + share * getattr(other, side) for side in one.__slots__
    )
    return Box(*corners)


def _frame(pixels: Pixels, box: Box, caption: str, number: int) -> None:
    import cv2

    height, width = pixels.shape[:2]
    colour = _COLOURS[number % len(_COLOURS)]
    thick = max(2, width // 500)
    low = (int(box.x_min * width), int(box.y_min * height))
    cv2.rectangle(pixels, low, (int(box.x_max * width), int(box.y_max * height)), colour, thick)
    scale = max(0.45, width / 1800)
    (across, up), _ = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    top = max(0, low[1] - up - 6)
    cv2.rectangle(pixels, (low[0], top), (low[0] + across + 6, top + up + 6), colour, -1)
    place = (low[0] + 3, top + up + 2)
    cv2.putText(
        pixels, caption, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (11, 18, 32), 1, cv2.LINE_AA
    )
