"""What every search does alike: asks the embedder, bounds the candidates, explains the answer."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.errors import InvalidArgument
from beholden.core.explanation import Explanation, Obligations, Threshold
from beholden.core.faces import EmbeddedFace
from beholden.core.gallery import Face
from beholden.core.models import ModelSpec
from beholden.core.ports import Embedder
from beholden.search.collections import Collections
from beholden.search.explain import false_positives, threshold
from beholden.search.settings import SearchSettings
from beholden.vision.enrolment import NO_LIMITS, EnrolmentLimits, enrolment_problems
from beholden.vision.templates import similarity

LOOK_BEYOND = 8
"""How many more are looked at than asked for: one for the probe itself, the others for margins."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An enrolled face, its similarity to the probe, and by how much it leads the next, in [0, 1].

    The next is of another external id; `margin` is None where there is none.
    """

    face: Face
    similarity: float
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """How to search: the most candidates (0: the default), the threshold, what the law asks for.

    `filtered` refuses a face that is not good enough.
    """

    limit: int = 0
    min_similarity: float | None = None
    obligations: Obligations = ()
    filtered: bool = False


class Probing:
    """Holds what the searches share."""

    def __init__(
        self,
        collections: Collections,
        embedder: Embedder,
        settings: SearchSettings,
        limits: EnrolmentLimits,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.collections = collections
        self._embedder = embedder

    @property
    def model(self) -> ModelSpec:
        """The embedding model. Raises FailedPrecondition when the role is off."""
        return self._embedder.model

    async def probe(self, image: bytes, *, filtered: bool) -> EmbeddedFace:
        """The picture's largest face.

        Raises InvalidArgument: no readable picture, no face, or where `filtered` not a good one.
        """
        found = await self._embedder.embed(image, max_faces=1, field="image.content")
        if not found:
            raise InvalidArgument("image.content", "shows no face", reason="NO_FACE")
        problems = enrolment_problems(found[0].face, self.limits if filtered else NO_LIMITS)
        if problems:
            why = ", ".join(problem.value for problem in problems)
            raise InvalidArgument(
                "image.content",
                f"shows no face that is good enough to be searched for ({why})",
                reason="LOW_QUALITY",
            )
        return found[0]

    def threshold(self, asked: float | None, obligations: Obligations) -> Threshold:
        """What candidates must reach."""
        return threshold(asked, self.settings.min_similarity, obligations)

    def similarity(self, cosine: float) -> float:
        """Of a cosine in [-1, 1], calibrated for the model in use, in [0, 1]."""
        scale = self.model.parameters
        return similarity(cosine, scale["similarity_midpoint"], scale["similarity_slope"])

    def explanation(
        self, applied: Threshold, obligations: Obligations, gallery: int
    ) -> Explanation:
        """Of a search of so many."""
        measured = false_positives(self.model.strangers, applied.similarity, gallery)
        return Explanation(applied, obligations, gallery, measured)
