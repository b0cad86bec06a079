"""Video annotations and operations as messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2, error_details_pb2, status_pb2

from beholden.core.bodies import Joint
from beholden.core.errors import Denied
from beholden.core.faces import DetectedFace, Landmarks, Pose, Quality
from beholden.core.geometry import Point
from beholden.core.jobs import Annotation, Job, JobState
from beholden.core.models import ModelSpec
from beholden.v1 import (
    body_pb2,
    collection_pb2,
    face_pb2,
    image_pb2,
    search_pb2,
    video_pb2,
)
from beholden.wire.faces import bounding_box, detected_face, model_version
from beholden.wire.labels import named

_DOMAIN = "beholden.dev"
_MICROSECOND = 1000


def operation(job: Job) -> operations_pb2.Operation:
    """A job as an operation."""
    told = operations_pb2.Operation(name=f"operations/{job.id}", done=job.state.over)
    told.metadata.Pack(_metadata(job))
    if job.state is JobState.SUCCEEDED:
        told.response.Pack(
            video_pb2.AnalyzeVideoResponse(
                annotation_count=_whole(job.progress.get("found")), models=_models(job)
            )
        )
    elif job.state is JobState.CANCELLED:
        told.error.CopyFrom(status_pb2.Status(code=code_pb2.CANCELLED, message="was cancelled"))
    elif job.state is JobState.FAILED:
        told.error.CopyFrom(_error(job.error))
    return told


def annotation(one: Annotation, collection: str) -> video_pb2.VideoAnnotation:
    """An annotation; `collection` is the id of the one that was searched."""
    detail: Mapping[str, Any] = one.detail
    told = video_pb2.VideoAnnotation(
        feature=feature_value(one.feature),
        name=one.name,
        start_offset=duration(one.start_us),
        end_offset=duration(one.end_us),
        confidence=one.confidence,
        track_id=one.track,
        parents=detail.get("parents", ()),
        rule=detail.get("rule", ""),
        picture=one.picture,
    )
    if one.box is not None:
        told.bounding_box.CopyFrom(bounding_box(one.box))
    if "best_us" in detail:
        told.best_offset.CopyFrom(duration(detail["best_us"]))
    if "face" in detail:
        told.face.CopyFrom(_face(one, detail["face"]))
    if "candidates" in detail:
        told.candidates.extend(_candidate(match, collection) for match in detail["candidates"])
    for joint, (x, y, sure) in zip(Joint, detail.get("body", ()), strict=False):
        told.body_points.append(_body_point(joint, x, y, sure))
    if "start_frame" in detail:
        told.segment.CopyFrom(_segment(one, detail))
    return told


def begun(features: Iterable[str], models: Iterable[ModelSpec]) -> video_pb2.AnalyzeStreamResponse:
    """A stream's first answer."""
    return video_pb2.AnalyzeStreamResponse(
        features=map(feature_value, features),
        models=map(model_version, models),
    )


def event(change: str, about: Annotation, collection: str) -> video_pb2.StreamEvent:
    """What happened in a stream; `collection` is the id of the one that is searched."""
    return video_pb2.StreamEvent(
        change=f"STREAM_CHANGE_{change}", annotation=annotation(about, collection)
    )


def dropped(reason: str, count: int, first_us: int, last_us: int) -> video_pb2.DroppedFrames:
    """Frames of a stream that nobody looked at."""
    return video_pb2.DroppedFrames(
        reason=f"DROP_REASON_{reason}",
        count=count,
        first_offset=duration(first_us),
        last_offset=duration(last_us),
    )


def refused(feature: str, denied: Denied) -> video_pb2.RefusedFeature:
    """A feature that the law does not allow."""
    return video_pb2.RefusedFeature(
        feature=feature_value(feature),
        reason=denied.message,
        law=denied.decision.reasons[0].law,
    )


def feature_value(name: str) -> str:
    """The enum's name of a feature."""
    return f"VIDEO_FEATURE_{name}"


def feature_name(number: int) -> str:
    """The feature of an enum's number, less its prefix."""
    return video_pb2.VideoFeature.Name(number).removeprefix("VIDEO_FEATURE_")


def duration(microseconds: int) -> Duration:
    """A time in the video."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return Duration(seconds=seconds, nanos=rest * _MICROSECOND)


def _metadata(job: Job) -> video_pb2.AnalyzeVideoMetadata:
    told: Mapping[str, Any] = job.progress
    spec: Mapping[str, Any] = job.spec
    metadata = video_pb2.AnalyzeVideoMetadata(
        state=f"VIDEO_STATE_{job.state.name}",
        progress=told.get("share", 0.0),
        analyzed=duration(told.get("done_us", 0)),
        features=map(feature_value, spec["features"]),
        frame_count=_whole(told.get("frames")),
        analyzed_frame_count=_whole(told.get("looked")),
        annotation_count=_whole(told.get("found")),
        models=_models(job),
    )
    if form := told.get("format"):
        metadata.format.CopyFrom(
            video_pb2.VideoFormat(
                container=form["container"],
                codec=form["codec"],
                width=form["width"],
                height=form["height"],
                frame_rate=form["rate"],
                duration=duration(form["duration_us"]),
            )
        )
    times = {
        "create": job.created_ns,
        "start": job.started_ns,
        "end": job.ended_ns,
        "expire": job.expire_ns,
    }
    for name, nanoseconds in times.items():
        if nanoseconds:
            getattr(metadata, f"{name}_time").CopyFrom(_timestamp(nanoseconds))
    return metadata


def _error(error: Mapping[str, Any]) -> status_pb2.Status:
    status = status_pb2.Status(code=code_pb2.Code.Value(error["code"]), message=error["message"])
    info = error_details_pb2.ErrorInfo(
        reason=error["reason"],
        domain=_DOMAIN,
        metadata={"law": law} if (law := ", ".join(error.get("laws", ()))) else {},
    )
    status.details.add().Pack(info)
    return status


def _models(job: Job) -> list[Any]:
    models: Any = job.progress.get("models", ())
    return [named(model) for model in models]


def _face(one: Annotation, document: Mapping[str, Any]) -> face_pb2.DetectedFace:
    assert one.box is not None
    face = DetectedFace(
        box=one.box,
        confidence=one.confidence,
        landmarks=Landmarks(*(Point(x, y) for x, y in document["landmarks"])),
        pose=Pose(*document["pose"]),
        quality=Quality(*document["quality"]),
        size=document["size"],
    )
    return detected_face(face)


def _candidate(match: Mapping[str, Any], collection: str) -> search_pb2.Candidate:
    face = collection_pb2.Face(
        name=f"collections/{collection}/faces/{match['face']}",
        external_image_id=match["external_image_id"],
    )
    return search_pb2.Candidate(face=face, similarity=match["similarity"])


def _body_point(joint: Joint, x: float, y: float, sure: float) -> body_pb2.BodyPoint:
    return body_pb2.BodyPoint(
        type=f"BODY_POINT_TYPE_{joint.name}",
        point=image_pb2.Point(x=x, y=y),
        confidence=sure,
    )


def _segment(one: Annotation, detail: Mapping[str, Any]) -> video_pb2.VideoSegment:
    return video_pb2.VideoSegment(
        type=f"SEGMENT_TYPE_{one.name}",
        start_frame=detail["start_frame"],
        end_frame=detail["end_frame"],
        start_timecode=detail["start_timecode"],
        end_timecode=detail["end_timecode"],
    )


def _whole(value: Any) -> int:
    return int(value or 0)


def _timestamp(nanoseconds: int) -> Timestamp:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return Timestamp(seconds=seconds, nanos=rest)
