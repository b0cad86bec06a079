"""`beholden watch`: what happens before a camera, as it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from threading import Event
from typing import Annotated, Any

import typer
from google.protobuf.duration_pb2 import Duration

from beholden.cli.commands.video import clock, wanted_features
from beholden.cli.failures import ExitCode, Failure
from beholden.cli.footage import Footage, Lost, Shot
from beholden.cli.options import MinConfidence, MinSimilarity
from beholden.cli.output import as_document
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score
from beholden.v1 import video_pb2, video_pb2_grpc

_AGAIN = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "UNAUTHENTICATED"})
_COLOURS = {"appeared": "green", "gone": "dim", "recognised": "bold magenta"}
_PRESENT = video_pb2.STREAM_CHANGE_PRESENT


def watch(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="An rtsp:// address, a video file, or - for standard input.")
    ],
    features: Annotated[
        str,
        typer.Option(
            help="Separated by commas, as for `beholden video`; not segments or redaction."
        ),
    ] = "people",
    collection: Annotated[str, typer.Option(help="For face-search: the collection's id.")] = "",
    min_confidence: MinConfidence = None,
    min_similarity: MinSimilarity = None,
    rate: Annotated[
        float, typer.Option(min=0.1, max=30, help="The most pictures sent a second.")
    ] = 5.0,
    side: Annotated[
        int, typer.Option(min=96, max=4096, help="The most pixels a side of those.")
    ] = 1280,
    latency: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=30,
            metavar="SECONDS",
            help="How long a picture may wait; the server's choice if absent.",
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="How long to watch; until Ctrl-C if absent.")
    ] = None,
) -> None:
    """Tell what happens before a camera, as it happens; Ctrl-C ends it."""
    here = session(context)
    start = video_pb2.StreamStart(
        features=[f"VIDEO_FEATURE_{one.name}" for one in wanted_features(features)],
        collection=f"collections/{collection}" if collection else "",
        min_confidence=min_confidence,
        min_similarity=min_similarity,
    )
    if latency is not None:
        start.max_latency.FromMicroseconds(round(latency * 1e6))
    stop = Event()
    footage = Footage(source, rate=rate, side=side, seconds=seconds, stop=stop)
    seen = _Seen(here, footage)
    interrupted = False
    try:
        _watched(here, footage, start, seen)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        stop.set()
    seen.sum_up(interrupted=interrupted)
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


def _watched(here: Session, footage: Footage, start: Any, seen: _Seen) -> None:
    """Stream after stream, until there is nothing more; a camera that is lost is waited for."""
    attempt = 0
    while not footage.over:
        before = footage.sent
        try:
            _stream(here, footage, start, seen)
        except Lost as lost:
            problem = f"{footage.name}: {lost}"
            if not footage.sent:
                raise Failure(problem, "UNAVAILABLE") from None
        except Failure as failure:
            if not (footage.is_camera and seen.begun and failure.status in _AGAIN):
                raise
            problem = failure.message
        else:
            return
        attempt = 1 if footage.sent > before else attempt + 1
        here.output.note(f"{problem}; trying again")
        here.output.document({"lost": {"source": footage.name, "problem": problem}})
        here.renew()
        footage.pause(attempt)


def _stream(here: Session, footage: Footage, start: Any, seen: _Seen) -> None:
    """One stream. The camera is asked first: a server that is asked in vain would write that down."""
    shots = footage.shots()
    first = next(shots, None)
    if first is None:
        return
    sent = _Sent(start, chain([first], shots))
    method = here.stub(video_pb2_grpc.VideoServiceStub).AnalyzeStream
    for answer in here.client.stream(method, iter(sent)):
        seen.answer(answer)
    if sent.failed is not None:
        raise sent.failed


class _Sent:
    """The messages of one stream, which gRPC takes on a thread of its own; `failed` is why they ended."""

    def __init__(self, start: Any, shots: Iterator[Shot]) -> None:
        self._start = start
        self._shots = shots
        self.failed: Exception | None = None

    def __iter__(self) -> Iterator[video_pb2.AnalyzeStreamRequest]:
        yield video_pb2.AnalyzeStreamRequest(start=self._start)
        try:
            for time_us, content in self._shots:
                frame = video_pb2.StreamFrame(content=content)
                frame.offset.FromMicroseconds(time_us)
                yield video_pb2.AnalyzeStreamRequest(part=video_pb2.StreamPart(frame=frame))
        except Exception as error:  # noqa: BLE001 - told by who made the call
            self.failed = error


@dataclass
class _Seen:
    """Prints what happens, and counts it."""

    here: Session
    footage: Footage
    begun: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    last_us: int = 0

    def answer(self, answer: video_pb2.AnalyzeStreamResponse) -> None:
        """One answer of the stream."""
        if answer.features:
            self._began(answer)
            return
        self.last_us = answer.offset.ToMicroseconds()
        for gone in answer.dropped:
            self.dropped += gone.count
            self.here.output.document({"dropped": as_document(gone)})
            why = video_pb2.DropReason.Name(gone.reason).removeprefix("DROP_REASON_").lower()
            self._line(gone.first_offset, "yellow", why, f"{counted(gone.count, 'frame')} left out")
        for event in answer.events:
            self.here.output.document({"event": as_document(event)})
            self._event(event)

    def sum_up(self, *, interrupted: bool) -> None:
        """What there was in all."""
        self.here.output.document(
            {
                "summary": {
                    "appeared": dict(self.counts),
                    "recognised": dict(self.people),
                    "sent": self.footage.sent,
                    "left_out": self.dropped,
                    "interrupted": interrupted,
                }
            }
        )
        seen = ", ".join(f"{count} {safe(name)}" for name, count in self.counts.most_common())
        known = ", ".join(safe(name) for name in self.people)
        self.here.output.show(
            f"[bold]{seen or 'nothing'}[/] in {clock(self.last_us)} of {safe(self.footage.name)}"
            + (f" · recognised {known}" if known else "")
            + f" · {counted(self.footage.sent, 'picture')} sent"
            + (f", {self.dropped} left out" if self.dropped else "")
        )

    def _began(self, answer: video_pb2.AnalyzeStreamResponse) -> None:
        self.here.output.document({"started": as_document(answer)})
        self.begun = True

    def _event(self, event: video_pb2.StreamEvent) -> None:
        about = event.annotation
        change = video_pb2.StreamChange.Name(event.change).removeprefix("STREAM_CHANGE_").lower()
        if event.change == _PRESENT:
            return
        name = f"{about.name} {about.track_id}" if about.track_id else about.name
        more = score(about.confidence, 2)
        at = about.start_offset
        if change == "appeared" or about.feature == video_pb2.VIDEO_FEATURE_ACTIVITIES:
            self.counts[about.name] += 1
        if change == "gone":
            length_us = about.end_offset.ToMicroseconds() - at.ToMicroseconds()
            more, at = f"after {length_us / 1e6:.1f} s", about.end_offset
        elif change == "recognised":
            best = about.candidates[0]
            who = best.face.external_image_id or best.face.name.rpartition("/")[2]
            self.people[who] += 1
            more = f"{who} {score(best.similarity, 3)}"
        self._line(at, _COLOURS[change], change, f"{_feature(about.feature)}  {name}  {more}")

    def _line(self, offset: Duration, colour: str, change: str, text: str) -> None:
        """A camera's clock is the wall's, a file's its own."""
        shown = clock(offset.ToMicroseconds())
        if self.footage.is_camera:
            shown = f"{datetime.now():%H:%M:%S}"
        self.here.output.show(f"[dim]{shown:>8}[/]  [{colour}]{change:<10}[/]  {safe(text)}")


def _feature(number: int) -> str:
    name = video_pb2.VideoFeature.Name(video_pb2.VideoFeature.ValueType(number))
    return name.removeprefix("VIDEO_FEATURE_").lower().replace("_", " ")
