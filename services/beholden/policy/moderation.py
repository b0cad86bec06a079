"""What a tenant's record may say of moderation."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from beholden.core.moderation import Blocklist, ModerationRules
from beholden.core.wording import tokens


def _spelt(word: str) -> str:
    if not tokens(word):
        raise ValueError("must have a letter or a digit")
    return word


def _each_once(lists: list[_Blocklist]) -> list[_Blocklist]:
    names = [one.name.casefold() for one in lists]
    if len(set(names)) < len(names):
        raise ValueError("each list must have a name of its own")
    return lists


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_spelt)]
Confidence = Annotated[float, Field(ge=0, le=1)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class _Blocklist(_Record):
    """Words and phrases that must not be written in a picture."""

    name: Name
    """What is told where one of them is."""

    words: Annotated[list[Word], Field(min_length=1, max_length=10_000)] = Field(repr=False)
    """Compared whatever their case, width and look-alike letters; whole words only."""

    tells_words: bool = False
    """Whether the word is told beside the list's name."""


class Moderation(_Record):
    """Switches and thresholds of one tenant; by default nothing beyond what the models tell."""

    min_confidence: dict[str, Confidence] = {}
    """By label: what is less certain is left out, whatever the caller asks. It holds for the labels
    below too, unless they have their own."""

    blocklists: Annotated[list[_Blocklist], Field(max_length=100), AfterValidator(_each_once)] = []
    """Asked of the text that is read in each picture."""

    custom: bool = False
    """Whether the tenant's own examples are compared with each picture."""

    def rules(self) -> ModerationRules:
        """The same as the pipeline takes it."""
        return ModerationRules(
            min_confidence=self.min_confidence,
            blocklists=tuple(
                Blocklist(one.name, tuple(one.words), one.tells_words) for one in self.blocklists
            ),
            custom=self.custom,
        )
