"""Sends listings to a collection, each row under its own provenance, and sums up what became of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from beholden.cli import pictures
from beholden.cli.failures import Failure
from beholden.cli.indexing import Enroller, Item, Results, Tally, failure_of
from beholden.cli.journal import Journal
from beholden.cli.manifest import Acquisition, Listed, Listing, Row
from beholden.cli.many import failures, interrupts
from beholden.cli.output import as_document
from beholden.cli.session import Session
from beholden.cli.words import counted, safe
from beholden.v1 import collection_pb2, enrolment_pb2, search_pb2_grpc

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]+")
_PICTURES_UNANSWERED = 32
_BATCHES_UNANSWERED = 12
_BATCH = 1000
_BATCH_BYTES = 700_000


def enrol(
    senders: Senders,
    collection: str,
    listings: Sequence[Listing],
    *,
    skip_alike: float = 0.0,
    resume: Path | None = None,
) -> Tally:
    """Enrols what is listed, with a bar and a document for each item; Ctrl-C ends it in order.

    `skip_alike` is BulkEnrolment's duplicate_cosine; what `resume` says was done is not sent again.
    """
    here = senders.here
    tally = Tally(total=sum(one.total for one in listings))
    wanted = enrolment_pb2.BulkEnrolment(
        parent=f"collections/{collection}", duplicate_cosine=skip_alike
    )
    with (
        Journal(resume, f"{here.options.server}/{collection}") as journal,
        here.output.progress(rate=True) as bar,
        interrupts(tally),
    ):
        task = bar.add_task(f"indexing {safe(collection)}", total=tally.total)

        def tell(label: str, outcome: Results | Failure) -> None:
            if not (tally.failed and tally.failed[-1][0] == label):
                journal.add(label)
            bar.advance(task)
            here.output.document(_line(label, outcome))

        def left(one: Listed) -> bool:
            if one.label not in journal:
                return True
            tally.total -= 1
            bar.update(task, total=tally.total)
            return False

        for one in listings:
            sender = senders.of(one)
            enroller = Enroller(tally, tell, window=sender.window)
            things = filter(left, one.things)
            for row, group in itertools.groupby(things, lambda thing: _shared(thing.row)):
                enrolment = enrolment_pb2.BulkEnrolment()
                enrolment.CopyFrom(wanted)
                enrolment.provenance.CopyFrom(_provenance(row))
                enroller.run(sender.call, sender.start(enrolment), sender.items(group))
                if tally.ended_by or tally.interrupted:
                    break
            if tally.ended_by or tally.interrupted:
                break
    return tally


@dataclass(frozen=True, slots=True)
class Senders:
    """How listings are sent: `model` made the templates, the rest is said of pictures."""

    here: Session
    model: str = ""
    max_faces: int = 0
    every_face: bool = False

    def of(self, one: Listing) -> _Pictures | _Templates:
        """What sends it. Raises Failure where nobody says which model made its templates."""
        if not one.templates:
            return _Pictures(self.here, self.max_faces, self.every_face)
        if one.model and self.model and one.model != self.model:
            raise Failure(
                f"the templates are of {one.model}, not of {self.model}", "INVALID_ARGUMENT"
            )
        if not (self.model or one.model):
            raise Failure(
                "the list does not say which model made the templates",
                "INVALID_ARGUMENT",
                hint="name it with --model, as `beholden collections get` shows the collection's",
            )
        return _Templates(self.here, self.model or one.model)


class _Pictures:
    """Sends picture files."""

    window = _PICTURES_UNANSWERED

    def __init__(self, here: Session, max_faces: int, every_face: bool) -> None:
        method = here.stub(search_pb2_grpc.SearchServiceStub).BulkIndexFaces
        self.call = partial(here.client.stream, method)
        self._max_faces = max_faces
        self._every_face = every_face

    def start(self, enrolment: enrolment_pb2.BulkEnrolment) -> enrolment_pb2.BulkIndexFacesRequest:
        return enrolment_pb2.BulkIndexFacesRequest(
            start=enrolment_pb2.BulkIndexStart(
                enrolment=enrolment, max_faces=self._max_faces, every_face=self._every_face
            )
        )

    def items(self, things: Iterator[Listed]) -> Iterator[Item]:
        for thing, message in pictures.ahead(things, self._message):
            yield Item([thing.label], message)

    @staticmethod
    def _message(thing: Listed) -> enrolment_pb2.BulkIndexFacesRequest:
        assert thing.file is not None
        image = pictures.read(thing.file)
        picture = enrolment_pb2.BulkPicture(image=image, bounding_boxes=thing.boxes)
        # A face that is enrolled anew keeps its name, be it none.
        named = thing.row.external_id or thing.boxes
        stem = _NOT_IN_IDS.sub("_", thing.file.stem)[:255]
        picture.external_image_id = thing.row.external_id if named else stem
        _say(picture, thing.row)
        return enrolment_pb2.BulkIndexFacesRequest(picture=picture)


class _Templates:
    """Sends ready templates, batch after batch."""

    window = _BATCHES_UNANSWERED

    def __init__(self, here: Session, model: str) -> None:
        method = here.stub(search_pb2_grpc.SearchServiceStub).ImportFaces
        self.call = partial(here.client.stream, method)
        self._model = model

    def start(self, enrolment: enrolment_pb2.BulkEnrolment) -> enrolment_pb2.ImportFacesRequest:
        return enrolment_pb2.ImportFacesRequest(
            start=enrolment_pb2.ImportStart(enrolment=enrolment, model=self._model)
        )

    def items(self, things: Iterator[Listed]) -> Iterator[Item]:
        first = next(things, None)
        if first is None or first.template is None:
            return
        size = max(1, min(_BATCH, _BATCH_BYTES // first.template.nbytes))
        rest = itertools.chain([first], things)
        while batch := list(itertools.islice(rest, size)):
            yield Item([one.label for one in batch], partial(self._message, batch))

    @staticmethod
    def _message(batch: list[Listed]) -> enrolment_pb2.ImportFacesRequest:
        made = enrolment_pb2.ImportBatch()
        for one in batch:
            face = made.faces.add(
                external_image_id=one.row.external_id, image_sha256=one.row.image_sha256
            )
            _say(face, one.row)
        made.templates = b"".join(
            one.template.astype("<f4").tobytes() for one in batch if one.template is not None
        )
        return enrolment_pb2.ImportFacesRequest(batch=made)


def _shared(row: Row) -> Row:
    """What the law is asked about once for all: a consent stands there only where it is the basis."""
    consent = "" if row.legal_basis else row.consent_id
    return replace(row, external_id="", consent_id=consent, image_sha256="", capture_time=0)


def _provenance(row: Row) -> collection_pb2.Provenance:
    come_by = f"ACQUISITION_{Acquisition(row.acquisition).name}" if row.acquisition else None
    made = collection_pb2.Provenance(
        source=row.source,
        legal_basis=row.legal_basis,
        consent_id=row.consent_id,
        acquisition=come_by,
    )
    if row.expire_time:
        made.expire_time.FromNanoseconds(row.expire_time)
    return made


def _say(message: enrolment_pb2.BulkPicture | enrolment_pb2.ImportedFace, row: Row) -> None:
    message.consent_id = row.consent_id
    if row.capture_time:
        message.capture_time.FromNanoseconds(row.capture_time)


def _line(label: str, outcome: Results | Failure) -> dict[str, object]:
    if isinstance(outcome, Failure):
        return {"file": label, **outcome.document()}
    faces = [as_document(one.face) for one in outcome if one.HasField("face")]
    failures = [failure_of(one) for one in outcome if one.HasField("status")]
    line: dict[str, object] = {"file": label, "faces": faces}
    for failure in failures:
        if failure.status == "FAILED_PRECONDITION":
            left_out = line.setdefault("left_out", [])
            assert isinstance(left_out, list)
            left_out.append([reason for reason, _ in failure.laws])
        elif failure.status == "ALREADY_EXISTS":
            line["exists"] = failure.details["face"]
        elif failure.reason != "NO_FACE":
            line |= failure.document()
    return line


def sum_up(here: Session, tally: Tally, collection: str) -> None:
    """Says how many faces and why not more; what failed, and what would fail every time, last."""
    here.output.document(
        {
            "summary": {
                "items": tally.items,
                "of": tally.total,
                "faces": tally.faces,
                "there_already": tally.known,
                "faceless": tally.faceless,
                "left_out": dict(tally.left_out),
                "failed": len(tally.failed),
                "interrupted": tally.interrupted,
            }
        }
    )
    if tally.failed and not tally.ended_by:
        here.output.show(failures(tally.failed))
    if tally.interrupted:
        here.output.show("[yellow]interrupted[/]: run it again to go on; nothing is enrolled twice")
    left_out = ", ".join(
        f"{count} {reason.lower().replace('_', ' ')}" for reason, count in tally.left_out.items()
    )
    here.output.show(
        f"[bold]{counted(tally.faces, 'face')}[/] in {safe(collection)} from "
        f"{tally.items - len(tally.failed)} of {counted(tally.total, 'picture')}"
        + (f" · {tally.known} there already" if tally.known else "")
        + (f" · {tally.faceless} without a face" if tally.faceless else "")
        + (f" · left out: {left_out}" if left_out else "")
        + (f" · [red]{len(tally.failed)} failed[/]" if tally.failed else "")
    )
    if tally.ended_by:
        here.output.failure(tally.ended_by)
