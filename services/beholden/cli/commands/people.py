"""`beholden people`: several faces of one human being, kept and searched as one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import explained, pictures
from beholden.cli.commands.reviews import pending_note
from beholden.cli.failures import ExitCode
from beholden.cli.options import Collection, MinSimilarity
from beholden.cli.output import as_document, table
from beholden.cli.panels import facts
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score, when
from beholden.client.answers import Answer
from beholden.v1 import collection_pb2, search_pb2, search_pb2_grpc

Person = Annotated[str, typer.Argument(help="The person's id.")]
Faces = Annotated[list[str], typer.Argument(help="The faces' ids, at most 100.")]
Changed = Answer[search_pb2.AssociateFacesResponse] | Answer[search_pb2.DisassociateFacesResponse]
Found = Answer[search_pb2.SearchPeopleResponse] | Answer[search_pb2.SearchPeopleByImageResponse]


def create(
    context: typer.Context,
    collection: Collection,
    person: Person,
    display_name: Annotated[str, typer.Option("--name", help="A name for people.")] = "",
) -> None:
    """Make a person without a face."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    request = search_pb2.CreatePersonRequest(
        parent=f"collections/{collection}", person_id=person, display_name=display_name
    )
    answer = here.client.call(stub.CreatePerson, request)
    here.output.document(as_document(answer.message.person, decision_id=answer.decision_id))
    here.output.show(f"made {answer.message.person.name}")


def get(context: typer.Context, collection: Collection, person: Person) -> None:
    """Show one person."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    answer = here.client.call(
        stub.GetPerson, search_pb2.GetPersonRequest(name=_name(collection, person))
    )
    found = answer.message.person
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(facts([*zip(_COLUMNS, _row(found), strict=True), *_faces(found)]))


def show_all(context: typer.Context, collection: Collection) -> None:
    """List the people of a collection."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    shown = table("person", "name", ">faces", "status", "made")
    request = search_pb2.ListPeopleRequest(parent=f"collections/{collection}")
    for page in here.client.pages(stub.ListPeople, request):
        for found in page.people:
            here.output.document(as_document(found))
            shown.add_row(*map(safe, _row(found)))
    here.output.show(shown if shown.row_count else "nobody")


def delete(
    context: typer.Context,
    collection: Collection,
    person: Person,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a person; their faces stay enrolled (erase removes those too)."""
    here = session(context)
    here.output.confirm(f"Delete {person} from {collection}?", yes)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    answer = here.client.call(
        stub.DeletePerson, search_pb2.DeletePersonRequest(name=_name(collection, person))
    )
    here.output.document(as_document(answer.message, decision_id=answer.decision_id))
    stay = counted(len(answer.message.person.faces), "face")
    here.output.show(f"deleted {safe(person)}; {stay} of theirs stay enrolled")


def associate(context: typer.Context, collection: Collection, person: Person, faces: Faces) -> None:
    """Make faces a person's, so that they are searched by them."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    request = search_pb2.AssociateFacesRequest(
        name=_name(collection, person), faces=_face_names(collection, faces)
    )
    _changed(here, here.client.call(stub.AssociateFaces, request))


def disassociate(
    context: typer.Context, collection: Collection, person: Person, faces: Faces
) -> None:
    """Take faces from a person; they stay enrolled."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    request = search_pb2.DisassociateFacesRequest(
        name=_name(collection, person), faces=_face_names(collection, faces)
    )
    _changed(here, here.client.call(stub.DisassociateFaces, request))


def search(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    collection: Collection,
    picture: Annotated[
        Path | None,
        typer.Argument(help="A JPEG or PNG file whose largest face is searched; - reads stdin."),
    ] = None,
    face: Annotated[str, typer.Option("--face", help="Search with this enrolled face.")] = "",
    person: Annotated[str, typer.Option("--person", help="Search with this person.")] = "",
    max_results: Annotated[
        int, typer.Option("--max", min=0, max=500, help="The most candidates; 0: 10.")
    ] = 0,
    min_similarity: MinSimilarity = None,
    good_probe: explained.GoodProbe = False,
) -> None:
    """Find the people of a collection who are like the face in PICTURE, a face, or a person."""
    if sum((picture is not None, bool(face), bool(person))) != 1:
        raise typer.BadParameter("give PICTURE, --face or --person", param_hint="PICTURE")
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    parent = f"collections/{collection}"
    answer: Found
    if picture is None:
        probe = f"faces/{face}" if face else f"people/{person}"
        answer = here.client.call(
            stub.SearchPeople,
            search_pb2.SearchPeopleRequest(
                name=f"{parent}/{probe}", max_results=max_results, min_similarity=min_similarity
            ),
        )
    else:
        request = search_pb2.SearchPeopleByImageRequest(
            parent=parent,
            image=pictures.read(picture),
            max_results=max_results,
            min_similarity=min_similarity,
            quality_filter=explained.quality_filter(good_probe),
        )
        answer = here.client.call(stub.SearchPeopleByImage, request)
    found = answer.message
    model = f"{found.model.name}@{found.model.version}"
    here.output.document(as_document(found, decision_id=answer.decision_id))
    if found.review:
        here.output.show(pending_note(found.review, model))
        return
    like = f"like {safe(picture or face or person)} in {safe(collection)}"
    here.output.show(
        _candidates(found.candidates) if found.candidates else "nobody",
        f"{counted(len(found.candidates), 'person', 'people')} {like} · {model}",
        *explained.notes(found.explanation),
    )


_COLUMNS = ("person", "name", "faces", "status", "made")


def _row(found: collection_pb2.Person) -> tuple[str, ...]:
    status = collection_pb2.PersonStatus.Name(found.status)
    return (
        found.name.rpartition("/")[2],
        found.display_name,
        str(len(found.faces)),
        status.removeprefix("PERSON_STATUS_").lower(),
        when(found.create_time),
    )


def _faces(found: collection_pb2.Person) -> list[tuple[str, str]]:
    return [("face", name.rpartition("/")[2]) for name in found.faces]


def _candidates(found: Iterable[search_pb2.PersonCandidate]) -> Table:
    shown = table(">similarity", ">margin", "person", "name", ">faces")
    for one in found:
        person, name, faces, *_ = _row(one.person)
        shown.add_row(
            f"[bold]{score(one.similarity)}[/]",
            explained.margin(one),
            safe(person),
            safe(name),
            faces,
        )
    return shown


def _changed(here: Session, answer: Changed) -> None:
    person, left = answer.message.person, answer.message.unassociated_faces
    here.output.document(as_document(answer.message, decision_id=answer.decision_id))
    here.output.show(
        f"{safe(person.name.rpartition('/')[2])} has {counted(len(person.faces), 'face')}"
    )
    for one in left:
        why = search_pb2.UnassociatedReason.Name(one.reason).removeprefix("UNASSOCIATED_REASON_")
        words = why.lower().replace("_", " ")
        here.output.show(f"[yellow]left[/] {one.name.rpartition('/')[2]}: {words}")
    if left:
        raise typer.Exit(ExitCode.FAILED)


def _name(collection: str, person: str) -> str:
    return f"collections/{collection}/people/{person}"


def _face_names(collection: str, faces: list[str]) -> list[str]:
    return [f"collections/{collection}/faces/{face}" for face in faces]
