"""Callers of several tenants ask for everything while the store is killed; every answer is checked.

What is promised: an acknowledged face stays until somebody deletes it or erases whose it is, is in no
answer from the acknowledgement of that on, and no answer holds another tenant's face. What was under
way when the store died may have happened or not: it is in doubt, and nothing is claimed of it.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np

from beholden.v1 import collection_pb2, enrolment_pb2, search_pb2, search_pb2_grpc
from tests.house import House, house

TENANTS = {"daily-herald": "editorial_research", "find-the-lost": "victim_identification"}
PARENT = "collections/torture"
MODEL, DIMENSION = "dlib_resnet_v1@1", 128
PAST = collection_pb2.Provenance(source="torture", legal_basis="test")
TIMEOUT = 20.0
_MOST_KEPT = 400
"""Faces of a tenant from which on callers delete rather than enrol."""


@dataclass
class Book:
    """What one tenant was promised. A pair are two faces of one subject, by name."""

    kept: dict[str, str] = field(default_factory=dict)
    """Acknowledged: the face's name to its twin's."""
    subjects: dict[str, str] = field(default_factory=dict)
    """The face's name to the name that the tenant gave whose it is."""
    doubted: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    """Of which it was acknowledged that they are gone."""
    external: set[str] = field(default_factory=set)
    """Every name that the tenant gave a subject of its own."""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Report:
    """What was done, what callers saw, and every broken promise in words."""

    done: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    kills: int = 0
    acknowledged: int = 0
    deleted: int = 0
    doubted: int = 0


class Served:
    """A search service over a store, either of which can be killed and started again."""

    def __init__(self, folder: Path, stack: ExitStack, **settings: str) -> None:
        self._folder = folder
        self._stack = stack
        self._settings = settings
        self.start()

    def start(self) -> None:
        """Serves again, with the data that was there, perhaps at another address."""
        self.home: House = self._stack.enter_context(
            house(self._folder, ["search"], **self._settings)
        )
        self.channel = self._stack.enter_context(self.home.channel())

    def kill(self) -> None:
        """Ends the process, and with it an embedded store, as a power cut would; then starts it again."""
        self.home.kill()
        self.start()


def torture(
    served: Served,
    *,
    callers: int,
    seconds: float,
    kills: int = 2,
    kill: Callable[[], None] | None = None,
    seed: int = 0,
    progress: Callable[[Report, float], None] = lambda report, share: None,
) -> Report:
    """Lets `callers` go on for `seconds`, kills the store that often in between, and checks what is left.

    `kill` returns when it is there again; without one the whole service is killed.
    """
    report = Report()
    books = {tenant: Book() for tenant in TENANTS}
    for tenant in TENANTS:
        _made(served, tenant)
    end = time.monotonic() + seconds
    lock = threading.Lock()
    threads = [
        threading.Thread(
            target=_Caller(served, books, report, lock, random.Random(f"{seed}/{number}")).run,
            args=(end, [*TENANTS][number % len(TENANTS)]),
        )
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    begin = time.monotonic()
    for number in range(1, kills + 1):
        while time.monotonic() < begin + seconds * number / (kills + 1):
            time.sleep(0.1)
            progress(report, (time.monotonic() - begin) / seconds)
        (kill or served.kill)()
        report.kills += 1
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.1)
        progress(report, min(1.0, (time.monotonic() - begin) / seconds))
    for tenant, book in books.items():
        _check(served, tenant, book, report)
    return report


class _Caller:
    """One caller of a tenant, who asks one thing after another and checks every answer."""

    def __init__(
        self,
        served: Served,
        books: dict[str, Book],
        report: Report,
        lock: threading.Lock,
        chance: random.Random,
    ) -> None:
        self._served = served
        self._books = books
        self._report = report
        self._lock = lock
        self._chance = chance

    def run(self, end: float, tenant: str) -> None:
        """Until `end`; an error that is no refusal of an engine is a broken promise."""
        book = self._books[tenant]
        headers = self._served.home.headers(tenant, TENANTS[tenant])
        while time.monotonic() < end:
            stub = search_pb2_grpc.SearchServiceStub(self._served.channel)
            crowded = len(book.kept) > _MOST_KEPT
            does = {
                "enrol": (self._enrol, 1 if crowded else 4),
                "search": (self._search, 6),
                "delete": (self._delete, 2 if crowded else 1),
                "erase": (self._erase, 2 if crowded else 1),
            }
            name = self._chance.choices([*does], [weight for _, weight in does.values()])[0]
            try:
                does[name][0](stub, headers, tenant, book)
                with self._lock:
                    self._report.done[name] += 1
            except grpc.RpcError as error:
                with self._lock:
                    self._report.statuses[error.code().name] += 1
                if error.code() not in {
                    grpc.StatusCode.UNAVAILABLE,
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    grpc.StatusCode.CANCELLED,
                }:
                    self._wrong(f"{tenant} {name}: {error.code().name} {error.details()}")
                time.sleep(0.2)
            except ValueError:  # the channel was closed under the call, as the server was killed
                time.sleep(0.2)

    def _wrong(self, said: str) -> None:
        with self._lock:
            self._report.wrong.append(said)

    def _enrol(
        self,
        stub: search_pb2_grpc.SearchServiceStub,
        headers: list[tuple[str, str]],
        tenant: str,
        book: Book,
    ) -> None:
        pairs = self._chance.randint(1, 4)
        made = np.random.default_rng(self._chance.getrandbits(63)).normal(size=(pairs, DIMENSION))
        rows = np.repeat(made, 2, axis=0)
        rows[1::2] += 0.001
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")
        made_up = [uuid.UUID(int=self._chance.getrandbits(128)) for _ in range(pairs)]
        external = [f"{tenant}:{one}" for one in made_up for _ in range(2)]
        with book.lock:
            book.external.update(external)
        answers = stub.ImportFaces(_import(rows, external), metadata=headers, timeout=TIMEOUT)
        names = [result.face.name for answer in answers for result in answer.results]
        with book.lock:
            for one, other in zip(names[::2], names[1::2], strict=True):
                book.kept[one], book.kept[other] = other, one
            book.subjects.update(zip(names, external, strict=True))

    def _search(
        self,
        stub: search_pb2_grpc.SearchServiceStub,
        headers: list[tuple[str, str]],
        tenant: str,
        book: Book,
    ) -> None:
        with book.lock:
            if not book.kept:
                return
            name = self._chance.choice([*book.kept])
            twin = book.kept[name]
            gone = set(book.deleted)
        try:
            found = stub.SearchFaces(
                search_pb2.SearchFacesRequest(name=name, max_results=10, min_similarity=0.9),
                metadata=headers,
                timeout=TIMEOUT,
            ).candidates
        except grpc.RpcError as error:
            with book.lock:
                being_deleted = name not in book.kept
            if error.code() is grpc.StatusCode.NOT_FOUND:
                if not being_deleted:
                    self._wrong(f"{tenant}: {name} was acknowledged and is lost")
                return
            raise
        names = {candidate.face.name for candidate in found}
        with book.lock:
            if twin in book.kept and twin not in names:
                self._wrong(f"{tenant}: {twin} was acknowledged and is not found")
            if back := names & gone:
                self._wrong(f"{tenant}: deleted faces came back: {sorted(back)}")
            strangers = {one.face.external_image_id for one in found} - book.external
        if strangers:
            self._wrong(f"{tenant} was shown faces of others: {sorted(strangers)}")

    def _delete(
        self,
        stub: search_pb2_grpc.SearchServiceStub,
        headers: list[tuple[str, str]],
        tenant: str,
        book: Book,
    ) -> None:
        with _going(book, self._chance) as pair:
            if pair:
                stub.DeleteFaces(
                    search_pb2.DeleteFacesRequest(parent=PARENT, names=pair),
                    metadata=headers,
                    timeout=TIMEOUT,
                )

    def _erase(
        self,
        stub: search_pb2_grpc.SearchServiceStub,
        headers: list[tuple[str, str]],
        tenant: str,
        book: Book,
    ) -> None:
        with _going(book, self._chance) as pair:
            if not pair:
                return
            answer = stub.EraseSubject(
                search_pb2.EraseSubjectRequest(external_image_id=book.subjects[pair[0]]),
                metadata=headers,
                timeout=TIMEOUT,
            )
            (one,) = answer.collections
            if (one.subject_faces_before, one.subject_faces_after) != (2, 0):
                self._wrong(f"{tenant}: erasing two faces answered {one}")


@contextmanager
def _going(book: Book, chance: random.Random) -> Iterator[Sequence[str]]:
    """A pair that is to go, none where there is none; in doubt until what is done here has succeeded."""
    with book.lock:
        first = chance.choice([*book.kept]) if book.kept else None
        pair = (first, book.kept[first]) if first else ()
        for name in pair:
            del book.kept[name]
        book.doubted.update(pair)
    yield pair
    with book.lock:
        book.doubted.difference_update(pair)
        book.deleted.update(pair)


def _import(
    rows: np.ndarray, external: Sequence[str]
) -> Iterator[enrolment_pb2.ImportFacesRequest]:
    enrolment = enrolment_pb2.BulkEnrolment(parent=PARENT, provenance=PAST)
    yield enrolment_pb2.ImportFacesRequest(
        start=enrolment_pb2.ImportStart(enrolment=enrolment, model=MODEL)
    )
    faces = [enrolment_pb2.ImportedFace(external_image_id=one) for one in external]
    batch = enrolment_pb2.ImportBatch(templates=rows.tobytes(), faces=faces)
    yield enrolment_pb2.ImportFacesRequest(batch=batch)


def _made(served: Served, tenant: str) -> None:
    stub = search_pb2_grpc.SearchServiceStub(served.channel)
    with suppress(grpc.RpcError):  # there from a run before, which is checked as well
        stub.CreateCollection(
            search_pb2.CreateCollectionRequest(collection_id=PARENT.partition("/")[2]),
            metadata=served.home.headers(tenant, TENANTS[tenant]),
            timeout=TIMEOUT,
        )


def _check(served: Served, tenant: str, book: Book, report: Report) -> None:
    """Every face of the tenant's, listed once all is quiet, against what it was promised."""
    stub = search_pb2_grpc.SearchServiceStub(served.channel)
    headers = served.home.headers(tenant, TENANTS[tenant])
    there: dict[str, str] = {}
    request = search_pb2.ListFacesRequest(parent=PARENT, page_size=1000)
    while True:
        page = stub.ListFaces(request, metadata=headers, timeout=60)
        there |= {face.name: face.external_image_id for face in page.faces}
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    lost, back = set(book.kept) - set(there), set(book.deleted) & set(there)
    strangers = {one for one in there.values() if not one.startswith(f"{tenant}:")}
    for said, names in (("lost", lost), ("deleted and back", back), ("of others", strangers)):
        if names:
            report.wrong.append(f"{tenant}: {len(names)} {said}: {sorted(names)[:5]}")
    report.acknowledged += len(book.kept)
    report.deleted += len(book.deleted)
    report.doubted += len(book.doubted)
