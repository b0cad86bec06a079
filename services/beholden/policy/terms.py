"""The words that law is written with: dates, similarities, and names that the law itself defines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo


def _known(topic: str, part: Callable[[str], str] = str) -> AfterValidator:
    """A word, or the `part` of it that counts, must be one that the law defines under `topic`."""

    def check(word: str, info: ValidationInfo) -> str:
        if info.context is not None and part(word) not in info.context[topic]:
            raise ValueError(f"{word!r} is not known; law/{topic} has the words that are")
        return word

    return AfterValidator(check)


def _date(text: str) -> str:
    """An ISO 8601 date, or an instant in UTC, in the one form that sorts as text."""
    try:
        if len(text) == 10:
            date.fromisoformat(text)
        elif len(text) == 20 and text.endswith("Z"):
            datetime.fromisoformat(text)
        else:
            raise ValueError
    except ValueError:
        raise ValueError('must be like "2021-05-18" or "2021-05-18T00:00:00Z"') from None
    return text


def public(keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """JSON Web Keys without what only their owner may have (RFC 7518, 6)."""
    if any(key.keys() & {"d", "k", "p", "q"} for key in keys):
        raise ValueError("must be public keys; the private one stays with the issuer")
    return keys


Date = Annotated[str, AfterValidator(_date)]
OpenDate = Literal[""] | Date
Words = Annotated[str, Field(min_length=1)]
Some = Field(min_length=1)
Similarity = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Reviewers = Annotated[int, Field(ge=1, le=9)]
Office = Literal["court", "data_protection_authority", "independent_authority", "law_enforcement"]
"""What an issuer of authorisations is."""

AcquisitionName = Annotated[str, _known("acquisitions")]
ActionName = Annotated[str, _known("actions")]
ClassName = Annotated[str, _known("classes")]
KindName = Annotated[str, _known("kinds")]
PurposeName = Annotated[str, _known("purposes")]
RegimeName = Annotated[str, _known("regimes")]
EventName = Annotated[str, _known("events")]
RuleName = Annotated[str, _known("rules")]
RestrictionId = Annotated[str, _known("restrictions")]
Place = Annotated[str, _known("jurisdictions", lambda place: place.partition("-")[0])]
