"""Sending over streams: past bad items, a bounded number unanswered, and nothing lost when one breaks."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from beholden.cli.failures import ExitCode, Failure
from beholden.cli.indexing import Enroller, Item, Results, Tally
from beholden.cli.many import interrupts
from beholden.core.errors import AlreadyExists, BeholdenError, InvalidArgument, LeftOut
from beholden.core.faces import UnindexedReason
from beholden.v1 import collection_pb2, enrolment_pb2
from beholden.wire.status import status

START = enrolment_pb2.ImportFacesRequest(start=enrolment_pb2.ImportStart())


def picture(label: str) -> Item:
    made = enrolment_pb2.BulkPicture(external_image_id=label)
    return Item([label], lambda: enrolment_pb2.BulkIndexFacesRequest(picture=made))


ITEMS = [picture(f"{number}.jpg") for number in range(40)]


def result(place: int, error: BeholdenError | None = None) -> enrolment_pb2.EnrolmentResult:
    if error is None:
        face = collection_pb2.Face(name=f"collections/c/faces/{place}")
        return enrolment_pb2.EnrolmentResult(item=place, face=face)
    return enrolment_pb2.EnrolmentResult(item=place, status=status(error))


class Server:
    """Answers each item by itself; breaks off where it is told to, and remembers what it was sent."""

    def __init__(self, breaks: dict[int, Failure] | None = None) -> None:
        self.sent: list[list[str]] = []
        self.breaks = breaks or {}
        self.kept: list[str] = []

    def call(self, messages: Iterator[Any]) -> Iterator[Any]:
        self.sent.append([])
        assert next(messages) == START
        for place, message in enumerate(messages):
            self.sent[-1].append(message.picture.external_image_id)
            if failure := self.breaks.pop(len(self.kept), None):
                raise failure
            self.kept.append(message.picture.external_image_id)
            yield enrolment_pb2.BulkIndexFacesResponse(results=[result(place)])


def enrol(call: Any, items: Any, tally: Tally | None = None) -> tuple[Tally, list[str]]:
    tally = tally or Tally(len(items))
    told: list[str] = []

    def tell(label: str, outcome: Results | Failure) -> None:
        told.append(label)

    Enroller(tally, tell, window=4, pause=lambda _: None).run(call, START, items)
    return tally, told


def test_each_item_is_told_of_once_in_order() -> None:
    tally, told = enrol(Server().call, ITEMS)
    assert told == [item.labels[0] for item in ITEMS]
    assert (tally.items, tally.faces, tally.exit_code) == (40, 40, ExitCode.OK)


def test_what_a_broken_stream_left_open_is_sent_again() -> None:
    server = Server({9: Failure("gone", "UNAVAILABLE"), 20: Failure("gone", "UNAVAILABLE")})
    tally, told = enrol(server.call, ITEMS)
    assert told == server.kept == [item.labels[0] for item in ITEMS]
    assert [sent[0] for sent in server.sent] == ["0.jpg", "9.jpg", "20.jpg"]
    assert tally.exit_code is ExitCode.OK


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PERMISSION_DENIED", ExitCode.REFUSED),
        ("UNAUTHENTICATED", ExitCode.UNAUTHENTICATED),
        ("NOT_FOUND", ExitCode.FAILED),
    ],
)
def test_ends_with_what_every_item_would_meet(status: str, code: ExitCode) -> None:
    server = Server({5: Failure("no", status)})
    tally, told = enrol(server.call, ITEMS)
    assert (len(told), len(server.sent), tally.exit_code) == (5, 1, code)


def test_a_server_that_stays_away_is_given_up() -> None:
    calls = 0

    def away(_: Any) -> Iterator[Any]:
        nonlocal calls
        calls += 1
        raise Failure("gone", "UNAVAILABLE")
        yield

    tally, _ = enrol(away, ITEMS)
    assert (calls, tally.exit_code) == (8, ExitCode.UNAVAILABLE)


def test_items_that_cannot_be_read_are_counted_and_passed_over() -> None:
    def unreadable() -> Any:
        raise Failure("cannot be read", "INVALID_ARGUMENT")

    items = [*ITEMS[:2], Item(["bad.jpg"], unreadable), *ITEMS[2:4]]
    tally, told = enrol(Server().call, items)
    assert sorted(told) == sorted(["0.jpg", "1.jpg", "bad.jpg", "2.jpg", "3.jpg"])
    assert [label for label, _ in tally.failed] == ["bad.jpg"]
    assert tally.exit_code is ExitCode.FAILED


def test_a_list_that_breaks_off_ends_it() -> None:
    def broken() -> Iterator[Item]:
        yield ITEMS[0]
        raise Failure("line 3 is no line", "INVALID_ARGUMENT")

    tally, told = enrol(Server().call, broken(), Tally(2))
    assert (told, tally.exit_code) == (["0.jpg"], ExitCode.USAGE)


def test_no_more_unanswered_than_the_window() -> None:
    most = 0

    def slow(messages: Iterator[Any]) -> Iterator[Any]:
        nonlocal most
        next(messages)
        waiting = []
        for place in range(len(ITEMS)):
            while len(waiting) < min(4, len(ITEMS) - place):
                waiting.append(next(messages))
                most = max(most, len(waiting))
            waiting.pop(0)
            yield enrolment_pb2.BulkIndexFacesResponse(results=[result(place)])

    tally, _ = enrol(slow, ITEMS)
    assert (most, tally.faces) == (4, 40)


def test_a_message_of_many_is_done_with_its_last() -> None:
    labels = ["a", "b", "c"]
    items = [Item(labels, enrolment_pb2.ImportFacesRequest), *ITEMS[:1]]

    def halves(messages: Iterator[Any]) -> Iterator[Any]:
        next(messages)
        next(messages)
        yield enrolment_pb2.ImportFacesResponse(results=[result(0), result(1)])
        yield enrolment_pb2.ImportFacesResponse(results=[result(2)])
        next(messages)
        yield enrolment_pb2.ImportFacesResponse(results=[result(3)])

    _, told = enrol(halves, items)
    assert told == [*labels, "0.jpg"]


def test_every_outcome_is_counted_as_what_it_is() -> None:
    tally = Tally(4)
    tally.add("there", [result(0, AlreadyExists("collections/c/faces/1"))])
    tally.add("empty", [result(1, InvalidArgument("picture", "shows no face", reason="NO_FACE"))])
    small = LeftOut([UnindexedReason.SMALL_BOUNDING_BOX])
    tally.add("crowd", [result(2), result(2), result(2, small), result(2, small)])
    assert (tally.known, tally.faceless, tally.faces, tally.failed) == (1, 1, 2, [])
    assert tally.left_out == {"SMALL_BOUNDING_BOX": 2}
    tally.add("torn", [result(3, InvalidArgument("picture", "is torn"))])
    assert [label for label, _ in tally.failed] == ["torn"]


def test_ctrl_c_finishes_what_is_unanswered_and_sends_nothing_more() -> None:
    before = signal.getsignal(signal.SIGINT)
    tally = Tally(len(ITEMS))
    server = Server()

    def interrupted(messages: Iterator[Any]) -> Iterator[Any]:
        for answer in server.call(messages):
            if len(server.kept) == 6:
                os.kill(os.getpid(), signal.SIGINT)
            yield answer

    with interrupts(tally):
        _, told = enrol(interrupted, ITEMS, tally)
    assert told == server.kept
    assert len(told) < len(ITEMS)
    assert tally.exit_code is ExitCode.INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is before
