"""Cuts things out of pictures, and packs what was cut."""

from __future__ import annotations

import cv2
import numpy as np

from beholden.core.faces import DetectedFace, Landmarks, Pixels
from beholden.core.geometry import Box, Point
from beholden.vision.scaling import fit_within, resized


def crop(pixels: Pixels, box: Box, *, margin: float, most: int) -> tuple[Pixels, Box]:
    """What lies in `box` and `margin` of its size around, the longer side at most `most` pixels.

    Also the box, within the picture, that was cut.
    """
    height, width = pixels.shape[:2]
    x, y = margin * box.width, margin * box.height
    left, right = _span(box.x_min - x, box.x_max + x, width)
    top, bottom = _span(box.y_min - y, box.y_max + y, height)
    cut = pixels[top:bottom, left:right]
    side = fit_within(cut.shape[1], cut.shape[0], most)
    return resized(cut, *side), Box(left / width, top / height, right / width, bottom / height)


def within(face: DetectedFace, cut: Box) -> DetectedFace:
    """The face with its box and landmarks as shares of the part `cut` of its picture."""

    def moved(point: Point) -> Point:
        return Point((point.x - cut.x_min) / cut.width, (point.y - cut.y_min) / cut.height)

    low, high = (
        moved(Point(face.box.x_min, face.box.y_min)),
        moved(Point(face.box.x_max, face.box.y_max)),
    )
    return DetectedFace(
        box=Box(low.x, low.y, high.x, high.y),
        confidence=face.confidence,
        landmarks=Landmarks(*map(moved, face.landmarks.points())),
        pose=face.pose,
        quality=face.quality,
        size=face.size,
    )


def jpeg(pixels: Pixels, quality: int = 88) -> bytes:
    """The picture as a JPEG file."""
    return _encoded(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])


def png(pixels: Pixels) -> bytes:
    """The picture as a PNG file: nothing is lost."""
    return _encoded(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def unpacked(content: bytes) -> Pixels:
    """The picture in a file that `jpeg` or `png` made."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _encoded(kind: str, pixels: Pixels, options: list[int]) -> bytes:
    done, content = cv2.imencode(kind, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    assert done
    return content.tobytes()


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    first = min(size - 1, max(0, round(low * size)))
    return first, max(first + 1, min(size, round(high * size)))
