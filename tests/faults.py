"""Each process killed under load, one at a time: what callers saw, what was lost, how it came back.

The load enrols, searches, and asks what the law forbids. Every answer is checked: a search that is
answered finds whom it must, a forbidden one is never allowed, what was acknowledged stays, and
whatever was answered is in the ledger.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from beholden.v1 import (
    collection_pb2,
    detection_pb2,
    detection_pb2_grpc,
    embedding_pb2,
    embedding_pb2_grpc,
    governance_pb2,
    governance_pb2_grpc,
    image_pb2,
    moderation_pb2,
    moderation_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
)
from tests.pictures import encode, pixels
from tests.stack import Real

PARENT = "collections/faults"
KNOWN = "collections/known"
PAST = collection_pb2.Provenance(source="NASA", legal_basis="public domain")
CALLERS = ("enrol", "find", "forbidden", "look")
DOWN_SECONDS = 3.0
RECOVERY_SECONDS = 90.0


@dataclass
class Seen:
    """What callers saw, by status; what they were promised; and what was wrong."""

    statuses: Counter[str] = field(default_factory=Counter)
    without_retry: int = 0
    acknowledged: set[str] = field(default_factory=set)
    decisions: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    answered_at: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """One row of the table; `recovery` in seconds from the restart to the first answers to all callers."""

    killed: str
    statuses: Counter[str]
    without_retry: int
    answered: int
    wrong: tuple[str, ...]
    lost: tuple[str, ...]
    recovery: float


class Load:
    """Callers on threads of their own, until told to stop."""

    def __init__(self, real: Real) -> None:
        self.seen = Seen()
        self._real = real
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._image = image_pb2.Image(content=encode(pixels("astronaut"), "JPEG"))
        self._newsroom = real.headers("daily-herald", "editorial_research")
        self._police = real.headers("metro-police", "criminal_investigation")

    def prepare(self) -> None:
        """A collection to fill, and one with somebody to find."""
        with self._real.channel() as channel:
            stub = search_pb2_grpc.SearchServiceStub(channel)
            for name in (PARENT, KNOWN):
                request = search_pb2.CreateCollectionRequest(collection_id=name.split("/")[1])
                stub.CreateCollection(request, metadata=self._newsroom)
            stub.IndexFaces(self._enrolment(KNOWN), metadata=self._newsroom)

    @contextmanager
    def running(self) -> Iterator[Seen]:
        """Callers run inside; each asks again at once, a little later after a refusal."""
        callers = [
            threading.Thread(target=self._ask, args=(name, ask))
            for name, ask in (
                ("enrol", self._enrol),
                ("find", self._find),
                ("find", self._find),
                ("forbidden", self._forbidden),
                ("look", self._look),
            )
        ]
        for caller in callers:
            caller.start()
        try:
            yield self.seen
        finally:
            self._stop.set()
            for caller in callers:
                caller.join(60)

    def _ask(self, name: str, ask: Callable[[grpc.Channel], None]) -> None:
        with self._real.channel() as channel:
            while not self._stop.is_set():
                try:
                    ask(channel)
                except grpc.RpcError as error:
                    self._refused(error)
                    time.sleep(0.05)
                else:
                    with self._lock:
                        self.seen.answered_at[name] = time.monotonic()

    def _refused(self, error: grpc.RpcError) -> None:
        code = error.code()
        status = rpc_status.from_call(error)
        details = status.details if status else ()
        with self._lock:
            self.seen.statuses[code.name] += 1
            told = any(one.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for one in details)
            # Without details the answer is the client's own: nobody listens at that port.
            if code is grpc.StatusCode.UNAVAILABLE and details and not told:
                self.seen.without_retry += 1

    def _enrolment(self, parent: str) -> search_pb2.IndexFacesRequest:
        return search_pb2.IndexFacesRequest(
            parent=parent, image=self._image, external_image_id="astronaut", provenance=PAST
        )

    def _enrol(self, channel: grpc.Channel) -> None:
        stub = search_pb2_grpc.SearchServiceStub(channel)
        answer, call = stub.IndexFaces.with_call(
            self._enrolment(PARENT), metadata=self._newsroom, timeout=10
        )
        self._answered(call)
        with self._lock:
            self.seen.acknowledged |= {item.face.name for item in answer.faces}
            if len(answer.faces) != 1:
                self.seen.wrong.append(f"enrolled {len(answer.faces)} faces of one")

    def _find(self, channel: grpc.Channel) -> None:
        stub = search_pb2_grpc.SearchServiceStub(channel)
        request = search_pb2.SearchFacesByImageRequest(parent=KNOWN, image=self._image)
        answer, call = stub.SearchFacesByImage.with_call(
            request, metadata=self._newsroom, timeout=10
        )
        self._answered(call)
        found = [one.face.external_image_id for one in answer.candidates]
        if found != ["astronaut"]:
            with self._lock:
                self.seen.wrong.append(f"a search found {found}")

    def _forbidden(self, channel: grpc.Channel) -> None:
        stub = search_pb2_grpc.SearchServiceStub(channel)
        request = search_pb2.SearchFacesByImageRequest(parent=KNOWN, image=self._image)
        try:
            stub.SearchFacesByImage(request, metadata=self._police, timeout=10)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                time.sleep(0.05)
                return
            raise
        with self._lock:
            self.seen.wrong.append("a forbidden search was answered")

    def _look(self, channel: grpc.Channel) -> None:
        """Every other service in turn, so that each has a caller when it is killed."""
        detect = detection_pb2_grpc.DetectionServiceStub(channel).DetectFaces
        embed = embedding_pb2_grpc.EmbeddingServiceStub(channel).EmbedFaces
        moderate = moderation_pb2_grpc.ModerationServiceStub(channel).ModerateImage
        status = governance_pb2_grpc.GovernanceServiceStub(channel).GetPolicyStatus
        auditor = self._real.headers("daily-herald", "editorial_research", roles=["auditor"])
        for call, request in (
            (detect, detection_pb2.DetectFacesRequest(image=self._image)),
            (embed, embedding_pb2.EmbedFacesRequest(image=self._image)),
            (moderate, moderation_pb2.ModerateImageRequest(image=self._image)),
            (status, governance_pb2.GetPolicyStatusRequest()),
        ):
            answer, done = call.with_call(request, metadata=auditor, timeout=10)
            self._answered(done)
            if len(getattr(answer, "faces", "1")) != 1:
                with self._lock:
                    self.seen.wrong.append(f"{len(answer.faces)} faces were found of one")

    def _answered(self, call: grpc.Call) -> None:
        with self._lock:
            self.seen.decisions.add(dict(call.trailing_metadata())["beholden-decision-id"])


def kill(real: Real, name: str) -> Fault:
    """Kills one process under load, restarts it alone, and reports."""
    load = Load(real)
    others = {row.name: row.pid for row in real.rows()}
    with load.running() as seen:
        _until_all_answer(seen, time.monotonic())
        os.kill(others.pop(name), signal.SIGKILL)
        time.sleep(DOWN_SECONDS)
        begin = time.monotonic()
        real.up()
        recovered = _until_all_answer(seen, begin)
    now = {row.name: row.pid for row in real.rows()}
    restarted = [one for one, pid in others.items() if now[one] != pid]
    lost = _lost(real, seen)
    return Fault(
        killed=name,
        statuses=seen.statuses,
        without_retry=seen.without_retry,
        answered=len(seen.decisions),
        wrong=(*seen.wrong, *(f"{one} was restarted too" for one in restarted)),
        lost=tuple(lost),
        recovery=recovered - begin,
    )


def _until_all_answer(seen: Seen, since: float) -> float:
    end = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < end:
        times = [seen.answered_at.get(name, 0.0) for name in CALLERS]
        if min(times) > since:
            return max(times)
        time.sleep(0.05)
    raise TimeoutError(f"not every caller is answered again after {RECOVERY_SECONDS:g} s: {seen}")


def _lost(real: Real, seen: Seen) -> Sequence[str]:
    """What was promised and is not there."""
    newsroom = real.headers("daily-herald", "editorial_research", roles=["auditor"])
    with real.channel() as channel:
        search = search_pb2_grpc.SearchServiceStub(channel)
        governance = governance_pb2_grpc.GovernanceServiceStub(channel)
        faces, token = set(), ""
        while True:
            page = search.ListFaces(
                search_pb2.ListFacesRequest(parent=PARENT, page_size=1000, page_token=token),
                metadata=newsroom,
            )
            faces |= {face.name for face in page.faces}
            if not (token := page.next_page_token):
                break
        recorded, token = set(), ""
        while not seen.decisions <= recorded:
            listed = governance.ListDecisions(
                governance_pb2.ListDecisionsRequest(page_size=1000, page_token=token),
                metadata=newsroom,
            )
            recorded |= {one.decision_id for one in listed.records if one.kind == "outcome"}
            if not (token := listed.next_page_token):
                break
        verdict = governance.VerifyLedger(governance_pb2.VerifyLedgerRequest(), metadata=newsroom)
    lost = [f"face {name}" for name in sorted(seen.acknowledged - faces)]
    lost += [f"record of {one}" for one in sorted(seen.decisions - recorded)]
    lost += [f"chain of {breach.writer}: {breach.problem}" for breach in verdict.breaches]
    return lost
