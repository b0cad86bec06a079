import pytest

from beholden.core.law import Evaluation, Json, Obligation, Reason
from beholden.policy.decision import parse

ALLOWED: dict[str, Json] = {
    "allow": True,
    "reasons": [],
    "obligations": [{"kind": "min_similarity", "value": 0.99, "law": "thresholds"}],
    "exemptions": ["exemptions/a"],
    "advice": ["look twice"],
    "answered": ["threshold"],
}
REASON: dict[str, Json] = {
    "code": "MORATORIUM",
    "law": "regime/ban",
    "message": "No.",
    "since": "2020-06-10",
    "until": "",
    "lifted_by": "searchers",
}
DENIED: dict[str, Json] = {**ALLOWED, "allow": False, "reasons": [REASON], "obligations": []}


def code(document: Json) -> str:
    decision = parse(Evaluation(document, "r1"))
    assert not decision.allowed
    assert decision.revision == "r1"
    (reason,) = decision.reasons
    return reason.code


def test_allowed() -> None:
    decision = parse(Evaluation(ALLOWED, "r1"))
    assert decision.allowed
    assert decision.obligations == (Obligation("min_similarity", 0.99, "thresholds"),)
    assert decision.exemptions == ("exemptions/a",)
    assert decision.advice == ("look twice",)
    assert decision.answered == ("threshold",)


def test_denied() -> None:
    decision = parse(Evaluation(DENIED, "r1"))
    assert not decision.allowed
    assert decision.reasons == (
        Reason("MORATORIUM", "regime/ban", "No.", "2020-06-10", "", "searchers"),
    )
    assert decision.explanation() == "No."


def test_obligations_that_nobody_knows_are_kept() -> None:
    unknown = {"kind": "sing", "value": ["a", {"b": 1}], "law": "x"}
    decision = parse(Evaluation({**ALLOWED, "obligations": [unknown]}, "r1"))
    assert decision.obligations == (Obligation("sing", ["a", {"b": 1}], "x"),)


def test_undefined_denies() -> None:
    assert code(None) == "POLICY_UNDEFINED"


def test_denied_without_a_reason_denies() -> None:
    assert code({**DENIED, "reasons": []}) == "DENIED"


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        True,
        "allow",
        1,
        {"allow": True},
        {**ALLOWED, "reasons": [REASON]},
        {**ALLOWED, "more": 1},
        *({name: value for name, value in ALLOWED.items() if name != left} for left in ALLOWED),
        *({**ALLOWED, "allow": odd} for odd in ("true", 1, None, [], {"allow": True})),
        *({**ALLOWED, "reasons": odd} for odd in (None, {}, "", [None], ["x"], [{}])),
        *({**ALLOWED, "obligations": odd} for odd in (None, {}, [None], ["redact"], [{"kind": "a"}])),
        *({**ALLOWED, "obligations": [{"kind": odd, "value": 1, "law": ""}]} for odd in (None, 1, [])),
        *({**ALLOWED, "exemptions": odd} for odd in (None, {}, "x", [None], [["x"]])),
        *({**ALLOWED, "advice": odd} for odd in (None, "x", [1])),
        *({**ALLOWED, "answered": odd} for odd in (None, "x", [1])),
        *({**DENIED, "reasons": [{**REASON, name: 1}]} for name in REASON),
        {**DENIED, "reasons": [{**REASON, "more": ""}]},
    ],
)  # fmt: skip
def test_whatever_is_odd_denies(document: Json) -> None:
    assert code(document) == "POLICY_ANSWER_MALFORMED"
