"""Sends many items through streams: a bounded number unanswered, none lost, none told of twice."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2

from beholden.cli.failures import ExitCode, Failure
from beholden.v1 import enrolment_pb2

Results = Sequence[enrolment_pb2.EnrolmentResult]

_ATTEMPTS = 8
_LONGEST_PAUSE = 20.0
_AGAIN = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})


@dataclass(frozen=True, slots=True)
class Item:
    """What is one message: `labels` name its pictures or faces, `message` makes it or raises Failure."""

    labels: Sequence[str]
    message: Callable[[], Message]


class Call(Protocol):
    """A stream."""

    def __call__(self, messages: Iterator[Message]) -> Iterator[Any]:
        """Opens it with the messages that go into it; its answers raise Failure."""
        ...


@dataclass
class Tally:
    """What became of `total` items so far. `ended_by` is what would fail for every other one too."""

    total: int
    items: int = 0
    faces: int = 0
    known: int = 0
    faceless: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, Failure]] = field(default_factory=list)
    interrupted: bool = False
    ended_by: Failure | None = None

    def add(self, label: str, outcome: Results | Failure) -> None:
        """Counts one item."""
        self.items += 1
        if isinstance(outcome, Failure):
            self.failed.append((label, outcome))
            return
        for result in outcome:
            self.faces += result.HasField("face")
            if result.HasField("status"):
                self._add_status(label, result)

    def _add_status(self, label: str, result: enrolment_pb2.EnrolmentResult) -> None:
        failure = failure_of(result)
        if failure.status == "ALREADY_EXISTS":
            self.known += 1
        elif failure.reason == "NO_FACE":
            self.faceless += 1
        elif failure.status == "FAILED_PRECONDITION":
            self.left_out.update(one for one, _ in failure.laws)
        else:
            self.failed.append((label, failure))

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is told."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.ended_by:
            return self.ended_by.exit_code
        return ExitCode.FAILED if self.failed else ExitCode.OK


def failure_of(result: enrolment_pb2.EnrolmentResult) -> Failure:
    """An item's status as a failure; why a face was left out is in `laws`, the face there in `details`."""
    status = result.status
    failure = Failure(status.message, code_pb2.Code.Name(status.code))
    info, there = error_details_pb2.ErrorInfo(), error_details_pb2.ResourceInfo()
    why = error_details_pb2.PreconditionFailure()
    for detail in status.details:
        if detail.Unpack(info):
            failure.reason = info.reason
        elif detail.Unpack(there):
            failure.details = {"face": there.resource_name}
        elif detail.Unpack(why):
            failure.laws = tuple((one.type, one.description) for one in why.violations)
    return failure


class Enroller:
    """Sends items and tells what became of each; what a broken stream left open is sent again."""

    def __init__(
        self,
        tally: Tally,
        tell: Callable[[str, Results | Failure], None],
        *,
        window: int,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tally = tally
        self._tell = tell
        self._window = window
        self._pause = pause

    def run(self, call: Call, start: Message, items: Iterable[Item]) -> None:
        """Until every item is told of, Ctrl-C, or a failure that every other item would meet too.

        An engine or server that is away is asked again, eight times before it is given up.
        """
        source, unanswered, failures = iter(items), deque[_Sent](), 0
        while failures < _ATTEMPTS and self._tally.ended_by is None:
            stream = _Stream(source, unanswered, self._window, lambda: self._tally.interrupted)
            before = self._tally.items
            try:
                for answer in call(stream.messages(start)):
                    self._answered(stream, answer.results)
                self._refused(stream)
                self._tally.ended_by = stream.broken
                return
            except Failure as failure:
                failures = 1 if self._tally.items > before else failures + 1
                if failure.status not in _AGAIN or failures == _ATTEMPTS:
                    self._tally.ended_by = failure
                    return
                unanswered = stream.unanswered()
                self._pause(failure.retry_after or min(_LONGEST_PAUSE, 0.25 * 2**failures))
            finally:
                stream.close()

    def _answered(self, stream: _Stream, results: Results) -> None:
        self._refused(stream)
        for label, outcome in stream.take(results):
            self._done(label, outcome)

    def _refused(self, stream: _Stream) -> None:
        while stream.unreadable:
            for label, failure in stream.unreadable.popleft():
                self._done(label, failure)

    def _done(self, label: str, outcome: Results | Failure) -> None:
        self._tally.add(label, outcome)
        self._tell(label, outcome)


@dataclass(slots=True)
class _Sent:
    """An item that was sent, and where its first face or picture stands in the stream."""

    item: Item
    made: Message
    first: int = 0


class _Stream:
    """What one stream has sent and not heard of. gRPC takes the messages on a thread of its own."""

    def __init__(
        self,
        source: Iterator[Item],
        again: Iterable[_Sent],
        window: int,
        stopped: Callable[[], bool],
    ) -> None:
        self._source = source
        self._again = deque(again)
        self._room = threading.Semaphore(window)
        self._lock = threading.Lock()
        self._sent: deque[_Sent] = deque()
        self._position = 0
        self._stopped = stopped
        self._closed = False
        self.unreadable: deque[list[tuple[str, Failure]]] = deque()
        """Items that cannot be read, told of in their place."""
        self.broken: Failure | None = None
        """Why no more items can be had."""

    def messages(self, start: Message) -> Iterator[Message]:
        """The stream's own; each but the first waits until few enough are unanswered."""
        yield start
        while True:
            self._room.acquire()
            with self._lock:
                sent = None if self._closed else self._next()
                if sent is None:
                    return
                sent.first = self._position
                self._position += len(sent.item.labels)
                self._sent.append(sent)
            yield sent.made

    def take(self, results: Results) -> Iterator[tuple[str, Results]]:
        """Each label that `results` speak of, with its own."""
        own: dict[int, list[enrolment_pb2.EnrolmentResult]] = {}
        for result in results:
            own.setdefault(result.item, []).append(result)
        for position, outcome in own.items():
            with self._lock:
                sent = self._sent[0]
                last = position == sent.first + len(sent.item.labels) - 1
                if last:
                    self._sent.popleft()
                    self._room.release()
            yield sent.item.labels[position - sent.first], outcome

    def unanswered(self) -> deque[_Sent]:
        """What another stream has to send again, oldest first."""
        with self._lock:
            self._closed = True
            return deque((*self._sent, *self._again))

    def close(self) -> None:
        """Lets the sending thread end."""
        with self._lock:
            self._closed = True
        self._room.release()

    def _next(self) -> _Sent | None:
        if self._again:
            return self._again.popleft()
        while not self._stopped():
            try:
                item = next(self._source, None)
            except Failure as failure:
                self.broken = failure
                return None
            if item is None:
                return None
            try:
                return _Sent(item, item.message())
            except Failure as failure:
                self.unreadable.append([(label, failure) for label in item.labels])
        return None
