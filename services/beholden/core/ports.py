"""The ports: what the pipelines and the guard need of the world, each with several adapters.

Every adapter raises `beholden.core.errors.Unavailable` when its engine cannot answer, never
returns an invented answer, and passes the contract tests in tests/contract/.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from beholden.core.bodies import Body
from beholden.core.caller import Caller
from beholden.core.faces import DetectedFace, EmbeddedFace, Pixels, Template
from beholden.core.gallery import (
    EVERY_FACE,
    Association,
    Collection,
    DueFace,
    Face,
    FaceFilter,
    Match,
    Page,
    Person,
    PersonMatch,
)
from beholden.core.geometry import Box
from beholden.core.jobs import Annotation, Claim, Job, JobState, Wanted
from beholden.core.labels import Label
from beholden.core.law import (
    Decision,
    Evaluation,
    Explanation,
    Facts,
    Json,
    PolicyStatus,
    ShadowStatus,
)
from beholden.core.models import ModelSpec
from beholden.core.record import Entry, Record, Verification
from beholden.core.redaction import Unsafe
from beholden.core.review import HeldAnswer, Opinion, Review
from beholden.core.text import Line

Tensor = NDArray[Any]
T = TypeVar("T")


class InferenceEngine(Protocol):
    """Runs models over batches of tensors."""

    async def infer(
        self, model: ModelSpec, inputs: Mapping[str, Tensor], *, timeout: float | None = None
    ) -> Mapping[str, Tensor]:
        """Runs one batch; names, dtypes and ranks are the spec's. `timeout` in seconds.

        Raises InvalidArgument for tensors that do not fit the spec, FailedPrecondition for a model
        that is not there, DeadlineExceeded, Unavailable. A batch over `model.max_batch` is split.
        """
        ...

    async def ready(self, model: ModelSpec) -> bool:
        """Whether the model can be asked now."""
        ...

    async def close(self) -> None:
        """Lets go of sessions and connections; further calls raise Unavailable."""
        ...


class FaceStore(Protocol):
    """Galleries: collections of templates, searched by cosine. Tenants never see each other.

    From its expiry on a face is in no answer but that of `due_faces`, and no person is found by it.
    """

    async def create_collection(self, collection: Collection) -> None:
        """Durable on return. Raises AlreadyExists."""
        ...

    async def get_collection(self, tenant: str, collection: str) -> Collection:
        """Raises NotFound."""
        ...

    async def list_collections(
        self, tenant: str, *, page_size: int, page_token: str = ""
    ) -> Page[Collection]:
        """By id, ascending. Raises InvalidArgument for a page token that is not ours."""
        ...

    async def every_collection(self, *, page_size: int, page_token: str = "") -> Page[Collection]:
        """Of all tenants, a tenant's together and by id; for moving a store, never for a caller.

        Raises InvalidArgument (page token).
        """
        ...

    async def delete_collection(self, tenant: str, collection: str) -> int:
        """Removes it with all its faces and says how many those were. Raises NotFound."""
        ...

    async def count_faces(self, tenant: str, collection: str) -> int:
        """Raises NotFound."""
        ...

    async def add_faces(self, tenant: str, collection: str, faces: Sequence[Face]) -> None:
        """Durable and searchable on return; a face with an id that is there replaces it.

        Raises NotFound, InvalidArgument (wrong dimension, not finite, not unit length); all or nothing.
        """
        ...

    async def get_faces(self, tenant: str, collection: str, ids: Sequence[str]) -> tuple[Face, ...]:
        """Those of `ids` that are there, templates included, in the order asked.

        Raises NotFound (the collection).
        """
        ...

    async def list_faces(
        self,
        tenant: str,
        collection: str,
        *,
        page_size: int,
        page_token: str = "",
        wanted: FaceFilter = EVERY_FACE,
    ) -> Page[Face]:
        """Those `wanted`, by face id, ascending. Raises NotFound, InvalidArgument (page token)."""
        ...

    async def delete_faces(
        self, tenant: str, collection: str, ids: Sequence[str]
    ) -> tuple[str, ...]:
        """Removes those that are there and returns their ids; not searchable on return. Raises NotFound.

        A person's face is first taken from them.
        """
        ...

    async def due_faces(
        self, *, before_ns: int, consents: Sequence[str], limit: int
    ) -> tuple[DueFace, ...]:
        """Up to `limit` faces of all tenants that expire before an instant or name one of `consents`."""
        ...

    async def search(
        self,
        tenant: str,
        collection: str,
        template: Template,
        *,
        limit: int,
        min_cosine: float = -1.0,
    ) -> tuple[Match, ...]:
        """The nearest, cosine descending then id, at most `limit`. Raises NotFound, InvalidArgument."""
        ...

    async def create_person(self, tenant: str, collection: str, person: Person) -> Person:
        """Makes them without a face; durable on return. Raises NotFound (collection), AlreadyExists."""
        ...

    async def get_person(self, tenant: str, collection: str, person: str) -> Person:
        """Raises NotFound."""
        ...

    async def list_people(
        self, tenant: str, collection: str, *, page_size: int, page_token: str = ""
    ) -> Page[Person]:
        """By id, ascending. Raises NotFound (collection), InvalidArgument (page token)."""
        ...

    async def count_people(self, tenant: str, collection: str) -> int:
        """Those without a face among them, and at times one twice who is being changed. Raises NotFound."""
        ...

    async def delete_person(self, tenant: str, collection: str, person: str) -> Person:
        """Who it was; their faces stay, and are nobody's. Raises NotFound."""
        ...

    async def associate_faces(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Makes faces a person's; searched by them on return. Those that are already stay so.

        Raises NotFound (collection, person).
        """
        ...

    async def disassociate_faces(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Takes faces from a person; no longer searched by them on return.

        Left are those that were not theirs (FACE_NOT_FOUND). Raises NotFound (collection, person).
        """
        ...

    async def people_of(
        self, tenant: str, collection: str, faces: Sequence[str]
    ) -> Mapping[str, str]:
        """Whose the faces are: a person's id by face id, for those that are a person's. Raises NotFound."""
        ...

    async def search_people(
        self,
        tenant: str,
        collection: str,
        template: Template,
        *,
        limit: int,
        min_cosine: float = -1.0,
    ) -> tuple[PersonMatch, ...]:
        """The nearest people, as `search`; those without faces are not found."""
        ...

    async def repair(self) -> int:
        """Finishes changes of people that were cut short, and says how many those were."""
        ...

    async def ready(self) -> bool:
        """Whether the store can be asked now."""
        ...

    async def close(self) -> None:
        """Flushes and lets go; further calls raise Unavailable."""
        ...


class PolicyEngine(Protocol):
    """Evaluates the one entrypoint, `usage/decision`, over facts."""

    async def decide(self, facts: Facts) -> Decision:
        """The decision: what `evaluate` answers, parsed strictly; anything odd or undefined denies.

        Raises Unavailable, InvalidArgument (facts too large).
        """
        ...

    async def evaluate(self, facts: Facts) -> Evaluation:
        """The bare answer; a pure function of law and facts.

        Raises Unavailable, InvalidArgument (facts too large).
        """
        ...

    async def explain(self, facts: Facts) -> Explanation:
        """What stands behind the decision; empty where the law has no `usage/explanation`.

        Raises Unavailable (also for an answer that cannot be understood), InvalidArgument.
        """
        ...

    async def status(self) -> PolicyStatus:
        """Which law is in force."""
        ...

    async def changed(self, revision: str) -> None:
        """Returns once another law than `revision` is in force; at once where it is already."""
        ...

    async def close(self) -> None:
        """Lets go of threads and connections; further calls raise Unavailable."""
        ...


class Shadow(Protocol):
    """A candidate law that is asked beside the one in force; nothing that it says is done."""

    def offer(self, decision_id: str, facts: Facts, decision: Decision) -> None:
        """Takes a decision to compare with its own; never waits, never raises, drops what is too much."""
        ...

    def status(self) -> ShadowStatus:
        """What it would have changed."""
        ...

    async def close(self) -> None:
        """Lets go, whatever waits."""
        ...


class Permission(Protocol):
    """The law's leave for one stream or job, which lasts only while the law gives it."""

    async def again(self) -> Decision:
        """Asks about the call that began it, as of now; a decision that changed is in the ledger first.

        Raises Denied: the work ends. Raises Unavailable: nothing may be done until the law answers.
        """
        ...

    async def hold(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does the work, asking again on an interval and at once when the law changes.

        The work is cancelled when `again` raises, and so does this.
        """
        ...


class Permissions(Protocol):
    """Gives jobs what they ask the law again with."""

    def of(self, caller: Caller, told: Callable[[Decision], None] | None = None) -> Permission:
        """The permission of what this caller's call began, were it in another process.

        `told` hears of each decision, also of one that is like the one before.
        """
        ...


class Ledger(Protocol):
    """The append-only, hash-chained account of every decision and outcome."""

    async def append(self, record: Record) -> Entry:
        """Durable on return (many appends share one commit). Raises Unavailable."""
        ...

    async def get(self, tenant: str, id: str) -> tuple[Entry, ...]:
        """The decision and its outcome, oldest first; empty when there is none for this tenant."""
        ...

    async def list(
        self, tenant: str, *, page_size: int, page_token: str = "", denied_only: bool = False
    ) -> Page[Entry]:
        """A tenant's entries, newest first. Raises InvalidArgument (page token)."""
        ...

    async def verify(self) -> Verification:
        """Reads every chain from its beginning; bounded memory."""
        ...

    async def ready(self) -> bool:
        """Whether a record could be written now."""
        ...

    async def close(self) -> None:
        """Commits what was accepted and lets go; further calls raise Unavailable."""
        ...


class Reviews(Protocol):
    """The answers that wait for people, kept until they are fetched, rejected or expired."""

    async def hold(self, review: Review, answer: HeldAnswer) -> Review:
        """Durable on return; answers the review with its expiry, the one that it has or sooner.

        Raises Unavailable.
        """
        ...

    async def get(self, tenant: str, id: str) -> Review:
        """Raises NotFound."""
        ...

    async def list(
        self,
        tenant: str,
        *,
        requester: str = "",
        pending_only: bool = False,
        page_size: int,
        page_token: str = "",
    ) -> Page[Review]:
        """A tenant's, or one requester's there, newest first. Raises InvalidArgument (page token)."""
        ...

    async def answer(self, tenant: str, id: str) -> HeldAnswer | None:
        """What is withheld; None once it is deleted. Raises NotFound."""
        ...

    async def judge(self, tenant: str, id: str, opinion: Opinion) -> Review:
        """Adds an opinion as `core.review.judged` has it; an answer that is rejected is deleted.

        Raises NotFound, and what `judged` raises.
        """
        ...

    async def fetched(self, tenant: str, id: str) -> None:
        """The requester has the answer: it is deleted soon, not at once, so that it can be asked again."""
        ...

    async def close(self) -> None:
        """Lets go; further calls raise Unavailable."""
        ...


class Jobs(Protocol):
    """A queue of work that outlasts its calls, shared by any number of workers, and what was found."""

    async def create(self, job: Job) -> Job:
        """Durable on return. With a request id that the tenant used before, the job that it made.

        Raises InvalidArgument (that one asked for something else), ResourceExhausted.
        """
        ...

    async def get(self, tenant: str, id: str) -> Job:
        """Raises NotFound."""
        ...

    async def list(
        self, tenant: str, kind: str, *, page_size: int, page_token: str = ""
    ) -> Page[Job]:
        """A tenant's, newest first. Raises InvalidArgument (page size, page token)."""
        ...

    async def cancel(self, tenant: str, id: str) -> Job:
        """Over on return, whatever a worker still does; one that is over stays as it is. Raises NotFound."""
        ...

    async def delete(self, tenant: str, id: str) -> Job:
        """Removes it with all that it found, running or not. Raises NotFound."""
        ...

    async def claim(self, kind: str, worker: str) -> Claim | None:
        """The next job, or one whose worker gave no sign of life, is now this worker's; None: no work.

        Tenants take turns, the one with least running first; within a tenant priority, then age.
        A job that ended too many workers at one chunk ends FAILED instead.
        """
        ...

    async def renew(self, claim: Claim) -> bool:
        """A sign of life; False where the job is no longer this worker's, or over."""
        ...

    async def advance(
        self,
        claim: Claim,
        *,
        checkpoint: bytes,
        progress: Mapping[str, Json],
        found: Sequence[Annotation],
    ) -> Claim | None:
        """One chunk is done: all of it durable on return, or nothing and None where it is not ours."""
        ...

    async def finish(
        self,
        claim: Claim,
        *,
        progress: Mapping[str, Json],
        found: Sequence[Annotation] = (),
        error: Mapping[str, Json] | None = None,
    ) -> bool:
        """The last chunk is done, or the job failed; False and nothing where it is not ours."""
        ...

    async def release(self, claim: Claim, *, wait: float = 0.0, counted: bool = False) -> bool:
        """Gives it back, to be taken after `wait` seconds; `counted` as an attempt at the chunk."""
        ...

    async def annotations(
        self, tenant: str, id: str, wanted: Wanted, *, page_size: int, page_token: str = ""
    ) -> Page[Annotation]:
        """By time, or by name and time. Raises NotFound, InvalidArgument (page size, page token)."""
        ...

    async def expire(self) -> Sequence[str]:
        """Removes the jobs that were over long ago, and answers their ids."""
        ...

    async def unfinished(self, kind: str) -> Mapping[JobState, int]:
        """How many jobs of all tenants wait, and how many run."""
        ...

    async def close(self) -> None:
        """Lets go; further calls raise Unavailable."""
        ...


class FaceFinder(Protocol):
    """Finds faces in pixels: the detection pipeline in process, or its service over gRPC."""

    async def find(self, pixels: Pixels, *, scale: float = 1.0) -> Sequence[DetectedFace]:
        """Every face over the detector's threshold, largest first.

        `scale` is what the pixels were reduced by against the full picture (0.5: half its width),
        so that `DetectedFace.size` counts the full picture's pixels.
        """
        ...

    @property
    def model(self) -> ModelSpec:
        """The detector. Raises FailedPrecondition when the role is off."""
        ...


class LabelFinder(Protocol):
    """Names what frames show: the label pipeline in process."""

    async def objects(self, frames: Sequence[Pixels], *, least: float) -> Sequence[Sequence[Label]]:
        """Each frame's objects of at least `least`, with their instances. Raises FailedPrecondition."""
        ...

    async def scenes(self, frames: Sequence[Pixels], *, least: float) -> Sequence[Sequence[Label]]:
        """What each whole frame shows; nothing where no model can tell."""
        ...

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """Those that look; empty where both roles are off."""
        ...


class BodyFinder(Protocol):
    """Finds the points of people's bodies: the pose pipeline in process."""

    async def bodies(self, pixels: Pixels, boxes: Sequence[Box]) -> Sequence[Body]:
        """The body of the person in each box; none where no model is pulled."""
        ...

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """Those that look; empty where the role is off."""
        ...


class ActionFinder(Protocol):
    """Names what happens in a few frames of a video: the action pipeline in process."""

    async def actions(self, frames: Sequence[Pixels]) -> Mapping[str, float]:
        """How likely each action is, in [0, 1], in as many frames of one size as the model wants."""
        ...

    @property
    def model(self) -> ModelSpec | None:
        """The one that looks; None where the role is off."""
        ...


class FrameReader(Protocol):
    """Reads what is written in a frame: the text pipeline in process."""

    async def read_frame(self, pixels: Pixels, *, least: float | None) -> Sequence[Line]:
        """Lines in reading order; `least` None is the operator's choice. Raises FailedPrecondition."""
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that read. Raises FailedPrecondition when a role is off."""
        ...


class Moderator(Protocol):
    """Tells unsafe content in frames: the moderation pipeline in process."""

    async def judge(
        self, frames: Sequence[Pixels], *, tenant: str, least: float | None
    ) -> Sequence[Mapping[str, float]]:
        """Each frame's labels and their confidence, by the tenant's rules. Raises FailedPrecondition."""
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that judge. Raises FailedPrecondition when the role is off."""
        ...


class FaceMatcher(Protocol):
    """Finds a collection's faces that are like one in a picture: embedding and search together."""

    async def check(self, tenant: str, collection: str) -> None:
        """Raises NotFound, FailedPrecondition (no embedder, or the collection is another's)."""
        ...

    async def embed(self, pixels: Pixels, face: DetectedFace) -> Template:
        """The unit template of a face that lies in `pixels`."""
        ...

    async def search(
        self,
        template: Template,
        *,
        tenant: str,
        collection: str,
        limit: int,
        least: float | None,
    ) -> Sequence[tuple[Face, float]]:
        """Enrolled faces and their similarity, most alike first; of at least `least` or the default."""
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that compare. Raises FailedPrecondition when the role is off."""
        ...


class Embedder(Protocol):
    """Turns a picture into faces with templates: the embedding pipeline, or its service over gRPC."""

    async def embed(self, image: bytes, *, max_faces: int, field: str) -> Sequence[EmbeddedFace]:
        """The `max_faces` largest faces with unit templates, largest first; empty when there is none.

        Raises InvalidArgument naming `field` for bytes that are no readable picture.
        """
        ...

    @property
    def model(self) -> ModelSpec:
        """The embedder. Raises FailedPrecondition when the role is off."""
        ...


class UnsafeFinder(Protocol):
    """Tells what is unsafe to show, and where: the moderation pipeline, or its service over gRPC."""

    async def find_unsafe(self, image: bytes, *, min_confidence: float | None) -> Sequence[Unsafe]:
        """What is unsafe by the rules of the tenant that calls; `min_confidence` as in ModerateImage.

        What one model tells of the whole picture and another finds in places has a box only where
        those places are all of it. Raises InvalidArgument for bytes that are no readable picture.
        """
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that look. Raises FailedPrecondition when the role is off."""
        ...


class TextReader(Protocol):
    """Reads what is written in a picture: the text pipeline in process, or its service over gRPC."""

    async def read(self, content: bytes) -> Sequence[Line]:
        """Every line, however doubtful, in reading order.

        Raises InvalidArgument (no readable picture), FailedPrecondition when a role is off.
        """
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that read. Raises FailedPrecondition when a role is off."""
        ...
