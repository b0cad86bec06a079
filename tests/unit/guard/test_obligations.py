"""What an allowed answer must not hold, and the obligations that cannot be kept."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from beholden.core.law import Decision, Json, Obligation
from beholden.guard.decision import binding
from beholden.guard.obligations import Duties, compile_duties, duties, keep
from beholden.v1 import embedding_pb2, search_pb2
from tests.unit.guard.protos import compiled

NOW, HOUR = 1_000, 3600 * 10**9
Found = search_pb2.SearchFacesResponse
Compared = embedding_pb2.CompareFacesResponse
Embedded = embedding_pb2.EmbedFacesResponse


def kept(response: Any, **duty: Any) -> tuple[Any, dict[str, int]]:
    withheld = keep(Duties(**duty), compile_duties(response.DESCRIPTOR), response)
    return response, withheld


def found(*similarities: float) -> Any:
    return Found(candidates=[{"similarity": one} for one in similarities])


def shares(response: Any) -> list[float]:
    return [round(one.similarity, 6) for one in response.candidates]


@pytest.mark.parametrize(
    ("duty", "left", "withheld"),
    [
        ({}, [0.99, 0.9, 0.5, 0.5], {}),
        ({"min_similarity": 0.9}, [0.99, 0.9], {"min_similarity": 2}),
        ({"min_similarity": 0.90001}, [0.99], {"min_similarity": 3}),
        ({"min_similarity": 0}, [0.99, 0.9, 0.5, 0.5], {}),
        ({"min_similarity": 1}, [], {"min_similarity": 4}),
        ({"max_results": 3}, [0.99, 0.9, 0.5], {"max_results": 1}),
        ({"max_results": 0}, [], {"max_results": 4}),
        ({"max_results": 9}, [0.99, 0.9, 0.5, 0.5], {}),
        (
            {"min_similarity": 0.9, "max_results": 1},
            [0.99],
            {"min_similarity": 2, "max_results": 1},
        ),
        ({"redact": frozenset({"faces"})}, [0.99, 0.9, 0.5, 0.5], {}),
    ],
)
def test_candidates(duty: dict[str, Any], left: list[float], withheld: dict[str, int]):
    response, taken = kept(found(0.99, 0.9, 0.5, 0.5), **duty)
    assert shares(response) == left
    assert taken == withheld


def test_a_similarity_that_is_no_number_is_dropped():
    response, _ = kept(found(0.9, math.nan), min_similarity=0.1)
    assert shares(response) == [0.9]


def test_a_match_below_the_minimum_is_dropped_and_not_called_unmatched():
    response, taken = kept(
        Compared(matches=[{"similarity": 0.7}, {"similarity": 0.95}], unmatched_faces=[{}]),
        min_similarity=0.9,
    )
    assert [round(match.similarity, 6) for match in response.matches] == [0.95]
    assert len(response.unmatched_faces) == 1
    assert taken == {"min_similarity": 1}


def test_redacts_nested_fields_of_the_class_alone():
    answer = Embedded(faces=[{"template": [0.6, 0.8], "face": {"confidence": 0.5}}, {}])
    response, taken = kept(answer, redact=frozenset({"face.template"}))
    assert [len(one.template) for one in response.faces] == [0, 0]
    assert response.faces[0].face.confidence == 0.5
    assert taken == {"redact": 1}


def test_redacts_whole_lists():
    response, taken = kept(Compared(unmatched_faces=[{}, {}]), redact=frozenset({"faces"}))
    assert not response.unmatched_faces
    assert taken == {"redact": 1}


def test_similarities_however_deep(tmp_path: Path):
    trial = compiled(
        tmp_path,
        """
        message Score { float similarity = 1 [(field_policy).similarity = true]; }
        message Item { Score score = 1; string name = 2; }
        message Person { repeated Item items = 1 [(field_policy).results = true]; }
        message Group { repeated Person people = 1; }
        message A { Group group = 1; }
        """,
    ).message_types_by_name["A"]

    def item(name: str, similarity: float | None) -> dict[str, Any]:
        score = {} if similarity is None else {"score": {"similarity": similarity}}
        return {"name": name, **score}

    answer = GetMessageClass(trial)(
        group={
            "people": [
                {"items": [item("a", 0.9), item("b", 0.2), item("c", None), item("d", 0.8)]},
                {"items": [item("e", 0.1)]},
                {},
            ]
        }
    )
    response, taken = kept(answer, min_similarity=0.5, max_results=1)
    assert [[one.name for one in person.items] for person in response.group.people] == [
        ["a"],
        [],
        [],
    ]
    assert taken == {"min_similarity": 3, "max_results": 1}


def test_nothing_that_the_law_forbids_is_left_and_nothing_else_is_missing():
    draw = random.Random(3)
    plan = compile_duties(Found.DESCRIPTOR)
    for _ in range(300):
        similarities = sorted((draw.random() for _ in range(draw.randrange(20))), reverse=True)
        least, most = draw.random(), draw.randrange(20)
        response = found(*similarities)
        keep(Duties(min_similarity=least, max_results=most), plan, response)
        wanted = [one for one in similarities if one >= least][:most]
        assert [one.similarity for one in response.candidates] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ([], Duties()),
        ([("min_similarity", 0.9), ("min_similarity", 0.99)], Duties(min_similarity=0.99)),
        ([("min_similarity", 0.99), ("min_similarity", 0.9)], Duties(min_similarity=0.99)),
        ([("min_similarity", 1)], Duties(min_similarity=1.0)),
        ([("max_results", 5), ("max_results", 3.0)], Duties(max_results=3)),
        ([("max_results", 0), ("max_results", 3)], Duties(max_results=0)),
        (
            [("redact", "faces"), ("redact", ["face.template"])],
            Duties(redact=frozenset({"faces", "face.template"})),
        ),
        ([("delete_by", 24)], Duties(delete_by_ns=NOW + 24 * HOUR)),
        ([("delete_by", 2.0), ("delete_by", 1)], Duties(delete_by_ns=NOW + HOUR)),
        (
            [("delete_by", 1), ("delete_by", "1970-01-01T00:00:05Z"), ("delete_by", 2)],
            Duties(delete_by_ns=5 * 10**9),
        ),
        ([("notify", ["the authority"]), ("notify", "another")], Duties()),
    ],
)
def test_the_strictest_of_each_kind(said: list[tuple[str, Json]], meant: Duties):
    asked = [Obligation(kind, value) for kind, value in said]
    assert duties(asked, now_ns=NOW, notifies=True) == meant


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("human_review", True),
        ("", 1),
        ("Min_similarity", 0.9),
        ("min_similarity", "0.9"),
        ("min_similarity", True),
        ("min_similarity", math.nan),
        ("min_similarity", math.inf),
        ("min_similarity", 1.01),
        ("min_similarity", -0.1),
        ("min_similarity", None),
        ("max_results", -1),
        ("max_results", 1.5),
        ("max_results", True),
        ("max_results", "3"),
        ("max_results", math.inf),
        ("redact", []),
        ("redact", [1]),
        ("redact", {"faces": True}),
        ("redact", None),
        ("delete_by", 0),
        ("delete_by", -1),
        ("delete_by", 0.5),
        ("delete_by", True),
        ("delete_by", None),
        ("delete_by", "authorisation"),
        ("delete_by", "2026-11-31T00:00:00Z"),
        ("delete_by", "2026-11-22T00:00:00+02:00"),
        ("notify", []),
        ("notify", [1]),
        ("notify", True),
    ],
)
def test_an_obligation_that_cannot_be_kept_denies(kind: str, value: Json):
    asked = Decision(
        allowed=True,
        revision="r1",
        obligations=(Obligation("max_results", 3), Obligation(kind, value, law="l/1")),
    )
    decision, duty = binding(asked, now_ns=NOW, notifies=True)
    assert not decision.allowed
    assert [(reason.code, reason.law) for reason in decision.reasons] == [
        ("UNKNOWN_OBLIGATION", "l/1")
    ]
    assert kind in decision.reasons[0].message
    assert decision.obligations == asked.obligations
    assert duty == Duties()


def test_a_denial_stays_what_it_is():
    denied = Decision(allowed=False, revision="r1", obligations=(Obligation("odd", 1),))
    assert binding(denied, now_ns=NOW) == (denied, Duties())


def test_a_notice_that_nobody_delivers_denies():
    asked = Decision(True, "r1", obligations=(Obligation("notify", ["the authority"], law="l/1"),))
    decision, _ = binding(asked, now_ns=NOW)
    assert not decision.allowed
    assert "BEHOLDEN_NOTICES__URL" in decision.reasons[0].message
    assert binding(asked, now_ns=NOW, notifies=True)[0].allowed


def test_when_it_must_be_deleted_in_words():
    assert Duties().delete_by == ""
    assert Duties(delete_by_ns=5 * 10**9).delete_by == "1970-01-01T00:00:05Z"
