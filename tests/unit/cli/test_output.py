"""What people and programs are shown."""

import io
import json

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, RenderableType

from beholden.cli.commands.explain import decision_panel
from beholden.cli.commands.ledger import verification
from beholden.cli.failures import Failure
from beholden.cli.output import Output, as_document
from beholden.cli.panels import failure_panel
from beholden.cli.words import clean, counted, safe, when
from beholden.v1 import collection_pb2, governance_pb2


def plain(what: RenderableType) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(what)
    return file.getvalue()


def refused(**details: str) -> Failure:
    return Failure(
        "Police may not.",
        "PERMISSION_DENIED",
        "DENIED_BY_POLICY",
        details={"law": "a/b", "since": "2020-06-10", "lifted_by": "an exemption", **details},
        decision_id="d-1",
    )


def test_a_refusal_without_an_end_lasts_until_further_notice() -> None:
    said = plain(failure_panel(refused()))
    for part in ("Refused by policy", "Police may not.", "a/b", "2020-06-10", "further notice"):
        assert part in said
    assert "an exemption" in said
    assert "d-1" in said


def test_a_refusal_with_an_end_names_it() -> None:
    said = plain(failure_panel(refused(until="2021-06-10")))
    assert "2021-06-10" in said
    assert "further notice" not in said


def test_a_refusal_by_several_laws_tells_all() -> None:
    failure = refused()
    failure.laws = (("a/b", "Police may not."), ("c/d", "And not for that."))
    said = plain(failure_panel(failure))
    assert said.count("Police may not.") == 1
    assert "And not for that." in said
    assert "c/d" in said


def test_markup_in_messages_is_shown_as_it_is() -> None:
    failure = Failure("[bold]x[/] [/nope]", "INVALID_ARGUMENT", fields=(("[red]f", "[/x] y"),))
    said = plain(failure_panel(failure))
    assert "[red]f" in said
    assert "[/x] y" in said
    assert "[bold]x[/] [/nope]" in plain(failure_panel(Failure("[bold]x[/] [/nope]")))


def test_an_allowed_decision_shows_its_obligations() -> None:
    decision = governance_pb2.PolicyDecision(
        allowed=True,
        revision="r1",
        exemptions=["find-the-lost"],
        advice=["look twice"],
        obligations=[{"kind": "min_similarity", "value": {"number_value": 0.85}, "law": "t"}],
    )
    said = plain(decision_panel("face.search", decision))
    for part in ("allowed", "find-the-lost", "min similarity 0.85", "look twice", "r1"):
        assert part in said


def test_breaches_name_their_entries() -> None:
    found = governance_pb2.VerifyLedgerResponse(
        entry_count=7,
        head="abc",
        breaches=[{"writer": "w", "sequence": 3, "problem": "was changed"}],
    )
    said = plain(verification(found))
    assert "The chain is broken" in said
    assert "entry 3" in said
    assert "was changed" in said


def test_json_goes_to_stdout_and_nothing_else_does(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(json=True, quiet=False)
    output.show("a table")
    output.note("a note")
    output.line("a line")
    output.document({"a": "ü"})
    output.failure(Failure("no", "NOT_FOUND"))
    out, err = capsys.readouterr()
    assert out == '{"a": "ü"}\n'
    assert json.loads(err) == {"error": {"status": "NOT_FOUND", "message": "no"}}


def test_people_see_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(json=False, quiet=False)
    output.show("a table")
    output.document({"a": 1})
    assert capsys.readouterr().out == "a table\n"


def test_messages_keep_the_protos_names_and_empty_fields() -> None:
    made = as_document(collection_pb2.Collection(name="collections/a"), decision_id="d")
    assert made["face_count"] == "0"
    assert made["display_name"] == ""
    assert made["decision_id"] == "d"


def test_words() -> None:
    assert counted(1, "face") == "1 face"
    assert counted(1200, "face") == "1,200 faces"
    assert counted(2, "entry", "entries") == "2 entries"
    assert clean("a\x1b[2Jb\rc\nd") == "a\ufffd[2Jb\ufffdc\nd"
    assert plain(safe("[red]x[/]\x1b")).strip() == "[red]x[/]\ufffd"
    assert when(Timestamp()) == ""
    assert when(Timestamp(seconds=86400)) == "1970-01-02 00:00:00 UTC"
