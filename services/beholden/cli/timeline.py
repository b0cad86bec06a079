"""What was found in a video, drawn as lanes along its time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from beholden.cli.failures import Failure
from beholden.v1 import video_pb2

_INK, _PAPER, _GRID = "#0b1220", "#f8fafc", "#cbd5e1"
_COLOURS = ("#38bdf8", "#4ade80", "#fbbf24", "#fb7185", "#c084fc", "#2dd4bf", "#f97316", "#94a3b8")
_WIDTH, _LEFT, _LANE, _TOP = 1400, 240, 26, 40
_MOST_LANES = 60


def write(path: Path, spans: Iterable[video_pb2.VideoAnnotation], seconds: float) -> None:
    """Writes a PNG with a lane for each name, the features in order.

    Raises:
        Failure: the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    lanes: dict[tuple[int, str], list[tuple[float, float]]] = defaultdict(list)
    for one in spans:
        number = f" {one.track_id}" if one.track_id else ""
        begin, end = one.start_offset.ToMicroseconds() / 1e6, one.end_offset.ToMicroseconds() / 1e6
        lanes[one.feature, f"{one.name}{number}"].append((begin, end))
        seconds = max(seconds, end)
    shown = sorted(lanes.items())[:_MOST_LANES]
    scale = (_WIDTH - _LEFT - 20) / max(seconds, 1e-3)
    image = Image.new("RGB", (_WIDTH, _TOP + _LANE * max(1, len(shown)) + 16), _PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(14)
    for tick in range(11):
        at = seconds * tick / 10
        x = _LEFT + at * scale
        draw.line((x, _TOP - 6, x, image.height - 8), _GRID)
        draw.text((x - 14, 12), f"{int(at) // 60}:{at % 60:04.1f}", _INK, font)
    for lane, ((feature, name), parts) in enumerate(shown):
        y = _TOP + lane * _LANE
        draw.text((12, y + 3), name[:28], _INK, font)
        for begin, end in parts:
            left, right = _LEFT + begin * scale, _LEFT + end * scale
            box = (left, y + 3, max(left + 2, right - 1), y + _LANE - 5)
            draw.rectangle(box, fill=_COLOURS[feature % len(_COLOURS)])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, "PNG")
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", "INVALID_ARGUMENT") from None
