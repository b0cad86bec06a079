"""`beholden collections reembed`: a collection under another model, from the pictures that were kept."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.message import Message

from beholden.cli import manifest, pictures
from beholden.cli.enrolling import Senders, enrol, sum_up
from beholden.cli.failures import Failure
from beholden.cli.manifest import Acquisition, Listed, Listing, Place, Row
from beholden.cli.marks import box
from beholden.cli.options import Collection
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe
from beholden.v1 import collection_pb2, search_pb2, search_pb2_grpc

Faces = Mapping[str, Sequence[collection_pb2.Face]]
"""The faces of each picture, by its SHA-256."""


def reembed(
    context: typer.Context,
    collection: Collection,
    to: Annotated[
        str, typer.Argument(metavar="NEW", help="The new collection; made where it is not there.")
    ],
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PICTURES...", help="Where they are kept: folders, s3://bucket."),
    ],
    resume: Annotated[
        Path | None, typer.Option(help="Note what is done here, and do not send it again.")
    ] = None,
) -> None:
    """Enrol a collection's faces anew, by the model in use, from the pictures they were found in.

    Pictures are known by their content. Only what the collection holds is enrolled, each face under its
    own provenance, and people get their faces back. Nothing is deleted.
    """
    here = session(context)
    if here.options.consent:
        raise typer.BadParameter(
            "it would be taken for everybody's; enrol whom it is of with `index` before",
            param_hint="--consent",
        )
    old = _faces(here, collection)
    if not old:
        raise Failure(f"{collection} has no face that was found in a picture", "NOT_FOUND")
    listed = list(_listed(old, _located(here, paths, old)))
    if not listed:
        raise Failure(f"none of {collection}'s pictures are in {', '.join(paths)}", "NOT_FOUND")
    _make_like(here, collection, to)
    listed.sort(key=lambda one: repr(one.row))  # a stream for each provenance
    senders = Senders(here, every_face=True)
    tally = enrol(senders, to, [Listing(len(listed), listed)], resume=resume)
    sum_up(here, tally, to)
    if not (tally.ended_by or tally.interrupted):
        _compare(here, collection, to, old)
    raise typer.Exit(tally.exit_code)


def _faces(here: Session, collection: str) -> Faces:
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    request = search_pb2.ListFacesRequest(parent=f"collections/{collection}", page_size=1000)
    found = defaultdict(list)
    for page in here.client.pages(stub.ListFaces, request):
        for face in page.faces:
            if face.image_sha256 and face.size:
                found[face.image_sha256].append(face)
    return found


def _make_like(here: Session, collection: str, to: str) -> None:
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    get = search_pb2.GetCollectionRequest(name=f"collections/{collection}")
    name = here.client.call(stub.GetCollection, get).message.collection.display_name
    request = search_pb2.CreateCollectionRequest(collection_id=to, display_name=name)
    _unless_there(here, stub.CreateCollection, request)


def _unless_there(here: Session, method: Any, request: Message) -> None:
    try:
        here.client.call(method, request)
    except Failure as failure:
        if failure.status != "ALREADY_EXISTS":
            raise


def _located(here: Session, paths: Sequence[str], wanted: Faces) -> Mapping[str, Place]:
    """Where each wanted picture lies, by its SHA-256."""
    files = [
        one.file for there in manifest.listing(paths, Row()) for one in there.things if one.file
    ]
    found: dict[str, Place] = {}
    with here.output.progress(rate=True) as bar:
        task = bar.add_task("reading pictures", total=len(files))
        for file, digest in pictures.ahead(files, _digest):
            if (known := digest()) in wanted:
                found.setdefault(known, file)
            bar.advance(task)
    return found


def _digest(file: Place) -> str:
    return hashlib.sha256(pictures.read(file).content).hexdigest()


def _listed(old: Faces, places: Mapping[str, Place]) -> Iterator[Listed]:
    for digest, file in places.items():
        rows = {_row(face) for face in old[digest]}
        boxes = tuple(face.bounding_box for face in old[digest])
        for row in rows if len(rows) == 1 else ():
            yield Listed(str(file), row, file=file, boxes=boxes)


def _row(face: collection_pb2.Face) -> Row:
    past = face.provenance
    come_by = collection_pb2.Acquisition.Name(past.acquisition).removeprefix("ACQUISITION_")
    return Row(
        external_id=face.external_image_id,
        source=past.source,
        legal_basis=past.legal_basis,
        consent_id=past.consent_id,
        capture_time=past.capture_time.ToNanoseconds(),
        expire_time=past.expire_time.ToNanoseconds(),
        acquisition=Acquisition[come_by].value if past.acquisition else "",
    )


def _compare(here: Session, collection: str, to: str, old: Faces) -> None:
    """Gives people their faces, and says which faces the new collection lacks."""
    new = _faces(here, to)
    people = defaultdict(list)
    lacks, unsigned = [], 0
    for digest, faces in old.items():
        for face in faces:
            same = next((one for one in new.get(digest, ()) if _same(one, face)), None)
            if same is None:
                lacks.append(face.name)
                continue
            signed = face.provenance.consent_issuer and not same.provenance.consent_issuer
            unsigned += bool(signed)
            if face.person and not same.person:
                people[face.person].append(same.name)
    for person, theirs in people.items():
        _associate(here, person, to, theirs)
    here.output.document({"lacks": lacks, "people": len(people), "unsigned": unsigned})
    whole = sum(map(len, old.values()))
    here.output.show(
        f"[bold]{whole - len(lacks)} of {counted(whole, 'face')}[/] of {safe(collection)} in {safe(to)}"
        + (f" · {counted(len(people), 'person', 'people')} with theirs" if people else "")
        + (f" · {len(lacks)} lack: their picture is missing or shows no such face" if lacks else "")
        + (f" · of {counted(unsigned, 'face')} the consent's issuer is lost" if unsigned else "")
    )


def _associate(here: Session, person: str, to: str, faces: Sequence[str]) -> None:
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    get = search_pb2.GetPersonRequest(name=person)
    who = here.client.call(stub.GetPerson, get).message.person
    parent, known = f"collections/{to}", person.rpartition("/")[2]
    request = search_pb2.CreatePersonRequest(
        parent=parent, person_id=known, display_name=who.display_name
    )
    _unless_there(here, stub.CreatePerson, request)
    theirs = search_pb2.AssociateFacesRequest(name=f"{parent}/people/{known}", faces=faces)
    here.client.call(stub.AssociateFaces, theirs)


def _same(one: collection_pb2.Face, other: collection_pb2.Face) -> bool:
    from beholden.core.geometry import SAME_PLACE, iou

    return iou(box(one.bounding_box), box(other.bounding_box)) >= SAME_PLACE
