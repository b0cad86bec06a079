"""`beholden video`: what a video shows, and when."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from google.longrunning import operations_grpc_pb2, operations_pb2
from google.rpc import code_pb2, error_details_pb2
from rich.table import Table

from beholden.cli import film, timeline
from beholden.cli.failures import ExitCode, Failure
from beholden.cli.options import MinConfidence, MinSimilarity
from beholden.cli.output import as_document, table
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score
from beholden.v1 import policy_pb2, video_pb2, video_pb2_grpc

_POLL = 0.3
_PAGE = 1000
_CONTENT: Any = video_pb2.Video.DESCRIPTOR.fields_by_name["content"].GetOptions()
_LARGEST = int(_CONTENT.Extensions[policy_pb2.limits].max_length)


class Feature(Enum):
    """What may be found, as a person types it."""

    LABELS = "labels"
    FACES = "faces"
    FACE_SEARCH = "face-search"
    TEXT = "text"
    MODERATION = "moderation"
    SEGMENTS = "segments"
    PEOPLE = "people"
    ACTIVITIES = "activities"
    REDACTION = "redaction"


def video(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A video; with --stored one in the server's folder.")
    ],
    features: Annotated[
        str, typer.Option(help=f"Separated by commas: {', '.join(one.value for one in Feature)}.")
    ] = "labels,people,segments",
    stored: Annotated[
        bool, typer.Option("--stored", help="FILE lies in the server's own folder of videos.")
    ] = False,
    collection: Annotated[str, typer.Option(help="For face-search: the collection's id.")] = "",
    min_confidence: MinConfidence = None,
    min_similarity: MinSimilarity = None,
    draw: Annotated[
        Path | None,
        typer.Option(
            "--draw", metavar="OUT.mp4", help="Write the video with what was found in it."
        ),
    ] = None,
    blur_faces: Annotated[
        Path | None,
        typer.Option(
            "--blur-faces",
            metavar="OUT.mp4",
            help="Write the video with its faces hidden; asks for redaction, in every frame.",
        ),
    ] = None,
    timeline_out: Annotated[
        Path | None,
        typer.Option("--timeline", metavar="OUT.png", help="Draw what was found along its time."),
    ] = None,
) -> None:
    """Find what a video shows, and when; Ctrl-C cancels it on the server too."""
    here = session(context)
    wanted = wanted_features(features)
    if blur_faces and Feature.REDACTION not in wanted:
        wanted.append(Feature.REDACTION)
    if stored and (draw or blur_faces) and not file.exists():
        option = "--draw" if draw else "--blur-faces"
        raise typer.BadParameter("writing the video needs the file here too", param_hint=option)
    source = video_pb2.Video(file=str(file)) if stored else video_pb2.Video(content=_read(file))
    stub = here.stub(video_pb2_grpc.VideoServiceStub)
    answer = here.client.call(
        stub.AnalyzeVideo,
        video_pb2.AnalyzeVideoRequest(
            video=source,
            features=[f"VIDEO_FEATURE_{one.name}" for one in wanted],
            collection=f"collections/{collection}" if collection else "",
            min_confidence=min_confidence,
            min_similarity=min_similarity,
        ),
    )
    operation = _followed(here, answer.message, file.name)
    told = _metadata(operation)
    here.output.document(as_document(operation, decision_id=answer.decision_id))

    def listed(aggregate: str) -> list[video_pb2.VideoAnnotation]:
        # Its features by name: one that is refused by now would else be missing, and a face not hidden.
        request = video_pb2.ListVideoAnnotationsRequest(
            operation=operation.name,
            features=told.features,
            aggregate_by=aggregate,
            page_size=_PAGE,
        )
        pages = here.client.pages(stub.ListVideoAnnotations, request)
        return [one for page in pages for one in page.annotations]

    spans = listed("VIDEO_AGGREGATE_SEGMENT")
    for one in spans:
        one.picture = b"" if not here.output.json else one.picture
        here.output.document(as_document(one))
    if draw or blur_faces:
        frames = film.Tracks(listed("VIDEO_AGGREGATE_FRAME"))
        for out, hide in ((draw, False), (blur_faces, True)):
            if out:
                with here.output.progress() as progress:
                    film.write(file, out, frames, hide_faces=hide, progress=progress)
    if timeline_out:
        timeline.write(timeline_out, spans, told.format.duration.ToMicroseconds() / 1e6)
    _show(here, told, spans, file, operation.name)


def wanted_features(text: str) -> list[Feature]:
    """The features named in `text`. Raises BadParameter."""
    found = []
    for name in filter(None, (one.strip() for one in text.split(","))):
        try:
            found.append(Feature(name))
        except ValueError:
            known = ", ".join(one.value for one in Feature)
            raise typer.BadParameter(
                f"{name} is none of {known}", param_hint="--features"
            ) from None
    if not found:
        raise typer.BadParameter("name one at least", param_hint="--features")
    return found


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise Failure(
            f"{file}: {(error.strerror or str(error)).lower()}", "INVALID_ARGUMENT"
        ) from None
    if len(content) > _LARGEST:
        raise Failure(
            f"{file} is larger than the {_LARGEST // 2**20} MiB that are taken as an upload",
            "INVALID_ARGUMENT",
            hint="put it in the server's folder (BEHOLDEN_VIDEO__FOLDER) and name it with --stored",
        )
    return content


def _followed(here: Session, operation: Any, name: str) -> Any:
    """The operation once it succeeded. Raises Failure with its error; ends it where we are ended."""
    stub = here.stub(operations_grpc_pb2.OperationsStub)

    def call(method: str, request: Any) -> Any:
        return here.client.call(getattr(stub, method), request).message

    try:
        with here.output.progress() as progress:
            task = progress.add_task(name, total=100)
            while not operation.done:
                time.sleep(_POLL)
                operation = call(
                    "GetOperation", operations_pb2.GetOperationRequest(name=operation.name)
                )
                progress.update(task, completed=int(100 * _metadata(operation).progress))
    except KeyboardInterrupt:
        call("CancelOperation", operations_pb2.CancelOperationRequest(name=operation.name))
        here.output.note(f"{operation.name} was cancelled")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if operation.HasField("error"):
        raise _failure(operation)
    return operation


def _failure(operation: Any) -> Failure:
    error = operation.error
    info = error_details_pb2.ErrorInfo()
    for detail in error.details:
        detail.Unpack(info)
    return Failure(
        error.message,
        code_pb2.Code.Name(error.code),
        info.reason,
        hint=f"{operation.name} has what was found until then",
    )


def _metadata(operation: Any) -> video_pb2.AnalyzeVideoMetadata:
    told = video_pb2.AnalyzeVideoMetadata()
    operation.metadata.Unpack(told)
    return told


def _show(
    here: Session,
    told: video_pb2.AnalyzeVideoMetadata,
    spans: list[video_pb2.VideoAnnotation],
    file: Path,
    operation: str,
) -> None:
    looked = f"{told.analyzed_frame_count} of {counted(told.frame_count, 'frame')} looked at"
    here.output.show(
        _table(spans),
        f"{counted(len(spans), 'stretch', 'stretches')} in {safe(file.name)} · {looked} · {operation}",
    )


def _table(spans: list[video_pb2.VideoAnnotation]) -> Table:
    shown = table("what", "=name", ">track", ">from", ">until", ">confidence", "more")
    for one in spans:
        feature = video_pb2.VideoFeature.Name(one.feature).removeprefix("VIDEO_FEATURE_").lower()
        shown.add_row(
            feature.replace("_", " "),
            safe(one.name),
            str(one.track_id or ""),
            clock(one.start_offset.ToMicroseconds()),
            clock(one.end_offset.ToMicroseconds()),
            score(one.confidence, 2),
            _more(one),
        )
    return shown


def _more(one: video_pb2.VideoAnnotation) -> str:
    if one.candidates:
        best = one.candidates[0]
        name = best.face.external_image_id or best.face.name.rpartition("/")[2]
        return f"{safe(name)} {score(best.similarity, 3)}"
    if one.HasField("segment"):
        return f"{one.segment.start_timecode} - {one.segment.end_timecode}"
    return safe(one.rule)


def clock(microseconds: int) -> str:
    """A time in a video, as minutes and seconds."""
    seconds = microseconds / 1e6
    return f"{int(seconds) // 60}:{seconds % 60:04.1f}"
