"""Which answers can wait for review, and that those which cannot are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from beholden.core.law import Decision, Json, Obligation
from beholden.guard.decision import binding
from beholden.guard.fields import AnnotationError
from beholden.guard.obligations import Duties, compile_duties, duties
from beholden.guard.review import ReviewPlan, compile_review
from beholden.v1 import embedding_pb2, search_pb2
from tests.unit.guard.protos import compiled


def asked(*values: Json) -> list[Obligation]:
    return [
        Obligation("review", value, law=f"review/{place}") for place, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("response", "plan"),
    [
        (search_pb2.SearchFacesResponse, ReviewPlan("review", "candidates")),
        (search_pb2.SearchFacesByImageResponse, ReviewPlan("review", "candidates")),
        (embedding_pb2.CompareFacesResponse, ReviewPlan("review", "matches")),
        (embedding_pb2.EmbedFacesResponse, None),
        (search_pb2.ListFacesResponse, None),
    ],
)
def test_which_answers_can_wait(response: type, plan: ReviewPlan | None):
    assert compile_duties(response.DESCRIPTOR).review == plan


def test_the_most_reviewers_count():
    found = duties(asked(1, 3.0, 2), now_ns=0, reviewable=True)
    assert found == Duties(reviewers=3, review_law="review/1")


@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True, None, [], {"reviewers": 2}])
def test_a_number_of_reviewers_that_makes_no_sense_denies(value: Json):
    decision, duty = binding(
        Decision(allowed=True, revision="r1", obligations=tuple(asked(1, value))),
        now_ns=0,
        reviewable=True,
    )
    assert not decision.allowed
    assert [(one.code, one.law) for one in decision.reasons] == [("UNKNOWN_OBLIGATION", "review/1")]
    assert duty == Duties()


def test_an_answer_that_cannot_wait_is_refused():
    allowed = Decision(allowed=True, revision="r1", obligations=tuple(asked(1)))
    decision, _ = binding(allowed, now_ns=0)
    assert not decision.allowed
    assert "cannot wait" in decision.reasons[0].message
    assert binding(allowed, now_ns=0, reviewable=True)[0].allowed


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("string review = 1 [(field_policy).review = true];", "one list of results"),
        (
            "string review = 1 [(field_policy).review = true];"
            "repeated Item a = 2 [(field_policy).results = true];"
            "repeated Item b = 3 [(field_policy).results = true];",
            "one list of results",
        ),
        (
            "repeated string review = 1 [(field_policy).review = true];"
            "repeated Item a = 2 [(field_policy).results = true];",
            "one list of results",
        ),
        (
            "bytes review = 1 [(field_policy).review = true];"
            "repeated Item a = 2 [(field_policy).results = true];",
            "must be a string",
        ),
        (
            "Inner inner = 1; repeated Item a = 2 [(field_policy).results = true];",
            "one list of results",
        ),
    ],
)
def test_a_review_that_could_not_be_kept_starts_no_server(
    tmp_path: Path, fields: str, problem: str
):
    trial = compiled(
        tmp_path,
        f"""
        message Item {{ string name = 1; }}
        message Inner {{ string review = 1 [(field_policy).review = true]; }}
        message A {{ {fields} }}
        """,
    ).message_types_by_name["A"]
    with pytest.raises(AnnotationError, match=problem):
        compile_review(trial)
