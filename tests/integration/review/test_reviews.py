"""Human review over the wire: who may see, who may confirm, and when the requester gets what."""

import sqlite3
from collections.abc import Callable, Iterator

import grpc
import pytest

from beholden.v1 import embedding_pb2, governance_pb2, review_pb2, search_pb2
from tests.integration.review.houses import FINDERS, Meet, Person, reviewing
from tests.pictures import path


@pytest.fixture(scope="module")
def meet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meet]:
    with reviewing(tmp_path_factory.mktemp("house")) as (_, people):
        yield people


@pytest.fixture(scope="module")
def alice(meet: Meet) -> Person:
    return meet("alice")


@pytest.fixture(scope="module")
def bob(meet: Meet) -> Person:
    return meet("bob", roles=["reviewer"])


@pytest.fixture(scope="module")
def parent(alice: Person) -> str:
    return alice.enrol()


@pytest.fixture
def pending(alice: Person, parent: str) -> str:
    return str(alice.search(parent).review)


def refused(call: Callable[[], object]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    code: grpc.StatusCode = caught.value.code()
    return code


def candidates(answer: review_pb2.GetReviewResponse) -> list[str]:
    """What the answer says: who, best first."""
    found = search_pb2.SearchFacesByImageResponse()
    assert answer.answer.Unpack(found)
    return [candidate.face.external_image_id for candidate in found.candidates]


def test_a_search_answers_with_a_review(alice: Person, bob: Person, parent: str) -> None:
    answer = alice.search(parent)
    assert answer.review.startswith("reviews/")
    assert answer.model.name
    assert [field.name for field, _ in answer.ListFields()] == ["model", "review"]
    waiting = alice.get(answer.review)
    assert waiting.review.state == review_pb2.REVIEW_STATE_PENDING
    assert not waiting.HasField("answer"), "who asked sees nothing yet"
    seen = bob.get(answer.review)
    assert candidates(seen) == ["first", "second"]
    review = seen.review
    assert (review.requester, review.action, review.purpose, review.law) == (
        "alice",
        "face.search_by_image",
        "editorial_research",
        "review/news",
    )
    assert (review.candidate_count, review.required_reviewers) == (2, 1)
    assert len(review.media_sha256[0]) == 64


def test_the_requester_gets_what_was_confirmed(alice: Person, bob: Person, pending: str) -> None:
    review = bob.resolve(pending, 2, reason="the second one only")
    assert review.state == review_pb2.REVIEW_STATE_CONFIRMED
    answer = alice.get(pending)
    assert candidates(answer) == ["second"]
    (opinion,) = answer.review.opinions
    assert (opinion.reviewer, opinion.reason) == ("bob", "the second one only")
    assert list(opinion.confirmed_candidates) == [2]
    assert candidates(alice.get(pending)) == ["second"], (
        "an answer that got lost can be asked again"
    )
    assert not bob.get(pending).HasField("answer"), "reviewers have no more to look at"


def test_all_are_confirmed_where_none_is_named(alice: Person, bob: Person, pending: str) -> None:
    bob.resolve(pending)
    assert candidates(alice.get(pending)) == ["first", "second"]


def test_what_is_rejected_is_gone(alice: Person, bob: Person, pending: str) -> None:
    assert bob.resolve(pending, reject=True).state == review_pb2.REVIEW_STATE_REJECTED
    for person in (alice, bob):
        answer = person.get(pending)
        assert answer.review.state == review_pb2.REVIEW_STATE_REJECTED
        assert not answer.HasField("answer")


def test_a_comparison_waits_too(alice: Person, bob: Person) -> None:
    answer = alice.compare()
    assert answer.review
    assert not answer.HasField("source_face")
    bob.resolve(answer.review)
    found = embedding_pb2.CompareFacesResponse()
    assert alice.get(answer.review).answer.Unpack(found)
    assert len(found.matches) == 1
    assert found.HasField("source_face")


def test_nothing_found_is_nothing_to_review(alice: Person, parent: str) -> None:
    rose = path("faces/knn_examples/train/rose_leslie/img1.jpg").read_bytes()
    answer = alice.search(parent, rose)
    assert (answer.review, list(answer.candidates)) == ("", [])
    assert answer.HasField("searched_face")


def test_the_requester_cannot_review(meet: Meet, parent: str) -> None:
    ada = meet("ada", roles=["reviewer"])
    pending = ada.search(parent).review
    assert not ada.get(pending).HasField("answer"), "not even as a reviewer"
    for reject in (False, True):
        code = refused(lambda reject=reject: ada.resolve(pending, reject=reject))
        assert code is grpc.StatusCode.PERMISSION_DENIED
    assert ada.get(pending).review.state == review_pb2.REVIEW_STATE_PENDING


def test_only_reviewers_review(meet: Meet, pending: str) -> None:
    for roles in ([], ["auditor", "operator"], ["Reviewer"], ["reviewer "]):
        carl = meet("carl", roles=roles)
        assert refused(lambda carl=carl: carl.resolve(pending)) is grpc.StatusCode.PERMISSION_DENIED
        assert refused(lambda carl=carl: carl.get(pending)) is grpc.StatusCode.NOT_FOUND


def test_another_tenant_knows_nothing_of_it(meet: Meet, pending: str, alice: Person) -> None:
    stranger = meet("bob", tenant="acme-platform", roles=["reviewer"])
    namesake = meet("alice", tenant="acme-platform")
    for call in (
        lambda: stranger.get(pending),
        lambda: stranger.resolve(pending),
        lambda: namesake.get(pending),
    ):
        assert refused(call) is grpc.StatusCode.NOT_FOUND
    assert stranger.list() == namesake.list() == []
    assert alice.get(pending).review.state == review_pb2.REVIEW_STATE_PENDING


def test_lists(meet: Meet, alice: Person, bob: Person, pending: str) -> None:
    other = meet("erin")
    assert pending in alice.list()
    assert pending in bob.list(pending_only=True)
    assert other.list() == []
    bob.resolve(pending)
    assert pending not in bob.list(pending_only=True)
    assert pending in bob.list()


def test_two_where_the_law_wants_two(meet: Meet) -> None:
    fred = meet("fred", tenant=FINDERS)
    gina, hugo, ivan = (
        meet(name, tenant=FINDERS, roles=["reviewer"]) for name in ("gina", "hugo", "ivan")
    )
    parent = fred.enrol()
    pending = fred.search(parent).review
    first = gina.resolve(pending, 1, 2)
    assert (first.state, first.required_reviewers) == (review_pb2.REVIEW_STATE_PENDING, 2)
    assert not fred.get(pending).HasField("answer")
    assert refused(lambda: gina.resolve(pending)) is grpc.StatusCode.FAILED_PRECONDITION
    assert hugo.resolve(pending, 1).state == review_pb2.REVIEW_STATE_CONFIRMED
    assert candidates(fred.get(pending)) == ["first"]
    assert refused(lambda: ivan.resolve(pending)) is grpc.StatusCode.FAILED_PRECONDITION

    pending = fred.search(parent).review
    gina.resolve(pending, 1)
    assert hugo.resolve(pending, 2).state == review_pb2.REVIEW_STATE_REJECTED, (
        "no candidate has two"
    )
    assert not fred.get(pending).HasField("answer")


@pytest.mark.parametrize(
    "wrong",
    [
        {"candidates": (3,)},
        {"candidates": (0,)},
        {"candidates": (-1, 1)},
        {"candidates": (1, 1)},
        {"candidates": (1,), "reject": True},
        {"reason": ""},
        {"reason": "x" * 1001},
    ],
)
def test_a_wrong_opinion(bob: Person, pending: str, wrong: dict[str, object]) -> None:
    numbers = wrong.pop("candidates", ())
    call = lambda: bob.resolve(pending, *numbers, **wrong)  # noqa: E731
    assert refused(call) is grpc.StatusCode.INVALID_ARGUMENT
    assert bob.get(pending).review.state == review_pb2.REVIEW_STATE_PENDING


@pytest.mark.parametrize(
    "name", ["", "x", "reviews/x", "reviews/00000000-0000-7000-8000-00000000000G"]
)
def test_a_wrong_name(bob: Person, name: str) -> None:
    assert refused(lambda: bob.get(name)) is grpc.StatusCode.INVALID_ARGUMENT
    unknown = "reviews/00000000-0000-7000-8000-000000000000"
    assert refused(lambda: bob.get(unknown)) is grpc.StatusCode.NOT_FOUND


def test_every_step_is_in_the_ledger(alice: Person, bob: Person, parent: str) -> None:
    pending = alice.search(parent).review
    bob.get(pending)
    bob.resolve(pending, 1, reason="I know her")
    alice.get(pending)
    records = alice.governance.ListDecisions(
        governance_pb2.ListDecisionsRequest(page_size=20), metadata=alice.metadata
    ).records
    told = [(one.kind, one.action, one.principal) for one in records]
    steps = [
        ("face.search_by_image", "alice"),
        ("review.get", "bob"),
        ("review.resolve", "bob"),
        ("review.get", "alice"),
    ]
    for step in steps:
        assert ("decision", *step) in told
        assert ("outcome", *step) in told
    resolved = next(r for r in records if (r.kind, r.action) == ("decision", "review.resolve"))
    request = resolved.body["facts"]["request"]
    assert (request["review"], request["verdict"]) == (pending, "REVIEW_VERDICT_CONFIRM")
    assert (list(request["confirmed_candidates"]), request["review_reason"]) == ([1], "I know her")
    searched = next(
        r for r in records if r.kind == "outcome" and f"reviews/{r.decision_id}" == pending
    )
    assert dict(searched.body["withheld"]) == {"review": 2}


@pytest.mark.thorough
def test_killed_between_every_step(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("killed")
    with reviewing(folder) as (served, meet):
        pending = meet("alice").search(meet("alice").enrol()).review
        served.kill()
    with reviewing(folder) as (served, meet):
        assert candidates(meet("bob", roles=["reviewer"]).get(pending)) == ["first", "second"]
        meet("bob", roles=["reviewer"]).resolve(pending, 1)
        served.kill()
    raw = b"".join(file.read_bytes() for file in folder.glob("ledger.db*"))
    assert pending.removeprefix("reviews/").encode() in raw
    assert b"second" not in raw, "candidates lie there encrypted only"
    # Meanwhile face recognition is forbidden to everybody: what was confirmed is not told any more.
    with reviewing(folder, adopted=["ibm-2020"]) as (served, meet):
        assert refused(lambda: meet("alice").get(pending)) is grpc.StatusCode.PERMISSION_DENIED
        served.kill()
    with reviewing(folder) as (_, meet):
        assert candidates(meet("alice").get(pending)) == ["first"]
        again = meet("alice").search(meet("alice").enrol()).review
        with sqlite3.connect(folder / "ledger.db") as database:
            database.execute(
                "UPDATE reviews SET answer = (SELECT answer FROM reviews WHERE id = ?) WHERE id = ?",
                (pending.removeprefix("reviews/"), again.removeprefix("reviews/")),
            )
        bob = meet("bob", roles=["reviewer"])
        assert refused(lambda: bob.get(again)) is grpc.StatusCode.FAILED_PRECONDITION
