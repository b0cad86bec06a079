"""`beholden index`: enrols pictures, lists of pictures and ready templates, and sums up."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from beholden.cli import manifest, pictures
from beholden.cli.failures import Failure
from beholden.cli.indexing import Enroller, Item, Results, Tally, failure_of
from beholden.cli.journal import Journal
from beholden.cli.manifest import Acquisition, Listed, Listing, Row
from beholden.cli.many import failures, interrupts
from beholden.cli.options import Collection
from beholden.cli.output import as_document
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe
from beholden.v1 import collection_pb2, enrolment_pb2, search_pb2_grpc

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]+")
_PICTURES_UNANSWERED = 32
_BATCHES_UNANSWERED = 6
_BATCH = 1000
_BATCH_BYTES = 700_000


def index(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    collection: Collection,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS...",
            help="Pictures, folders of them, s3://bucket/...; .csv, .parquet and .npz lists.",
        ),
    ],
    source: Annotated[str, typer.Option(help="Where the pictures come from.")] = "",
    legal_basis: Annotated[str, typer.Option(help="Why the faces may be kept.")] = "",
    consent_id: Annotated[str, typer.Option(help="The subject's consent.")] = "",
    acquisition: Annotated[
        Acquisition | None, typer.Option(help="How the pictures were come by.")
    ] = None,
    external_id: Annotated[
        str, typer.Option(help="Your own name for who is shown; the file's name if absent.")
    ] = "",
    max_faces: Annotated[
        int, typer.Option(min=0, max=100, help="The most faces a picture, largest first; 0: 100.")
    ] = 0,
    every_face: Annotated[
        bool, typer.Option("--every-face", help="Enrol small, dark, blurred and turned faces too.")
    ] = False,
    skip_alike: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="COSINE",
            help="Leave out faces this close to one that is there; 0.995: saved anew.",
        ),
    ] = 0.0,
    model: Annotated[
        str, typer.Option(metavar="NAME@VERSION", help="The model that made the templates.")
    ] = "",
    resume: Annotated[
        Path | None, typer.Option(help="Note what is done here, and do not send it again.")
    ] = None,
) -> None:
    """Enrol faces from pictures or ready templates; run again, it enrols nothing twice."""
    here = session(context)
    come_by = acquisition.value if acquisition else ""
    default = Row(external_id, source, legal_basis, consent_id, acquisition=come_by)
    listings = manifest.listing(paths, default)
    if not listings:
        raise Failure(f"no pictures in {', '.join(paths)}", status="INVALID_ARGUMENT")
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
            sender = _sender(here, one, model, max_faces, every_face)
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
    _sum_up(here, tally, collection)
    raise typer.Exit(tally.exit_code)


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
        picture = enrolment_pb2.BulkPicture(image=pictures.read(thing.file))
        picture.external_image_id = (
            thing.row.external_id or _NOT_IN_IDS.sub("_", thing.file.stem)[:255]
        )
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


def _sender(
    here: Session, one: Listing, model: str, max_faces: int, every_face: bool
) -> _Pictures | _Templates:
    if not one.templates:
        return _Pictures(here, max_faces, every_face)
    if one.model and model and one.model != model:
        raise Failure(f"the templates are of {one.model}, not of {model}", "INVALID_ARGUMENT")
    if not (model or one.model):
        raise Failure(
            "the list does not say which model made the templates",
            "INVALID_ARGUMENT",
            hint="name it with --model, as `beholden collections get` shows the collection's",
        )
    return _Templates(here, model or one.model)


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


def _sum_up(here: Session, tally: Tally, collection: str) -> None:
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
