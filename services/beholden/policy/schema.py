"""What well-formed law looks like, so that a slip of the pen is found before it is in force.

The rules themselves fail closed on malformed law; this says where it is malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from beholden.core.errors import FailedPrecondition
from beholden.policy.law import Law


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


def _public(keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
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


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Action(_Entry):
    """An action and the classes that it belongs to."""

    classes: Annotated[list[ClassName], Some]


class Titled(_Entry):
    """What something is called."""

    title: Words


class Kind(Titled):
    """A kind of organisation; with `classes`, held to those."""

    classes: Annotated[list[ClassName], Some] | None = None


class Purpose(Titled):
    """A purpose and the kinds of organisation that may declare it."""

    kinds: Annotated[list[KindName], Some]


class Required(_Entry):
    """Who must declare a purpose, for what."""

    kinds: list[KindName]
    classes: list[ClassName]


class Purposes(_Entry):
    """The known purposes."""

    known: dict[str, Purpose]
    required: Required


class Adopted(_Entry):
    """The regimes in force."""

    adopted: list[RegimeName]


class Scope(_Entry):
    """Which calls are bound: by whom, for what, where, how, since and until when; absent binds all."""

    says: Words
    classes: Annotated[list[ClassName], Some] | None = None
    kinds: Annotated[list[KindName], Some] | None = None
    purposes: list[PurposeName] | None = None
    jurisdictions: Annotated[list[Place], Some] | None = None
    realtime: Literal[True] | None = None
    public_space: Literal[True] | None = None
    attributes: Annotated[list[Words], Some] | None = None
    acquisitions: Annotated[list[AcquisitionName], Some] | None = None
    urgent: Literal[True] | None = None
    since: Date
    until: OpenDate
    until_event: EventName | None = None


class Asked(_Entry):
    """Obligations; outputs may last for whole hours, or as long as the authorisation they rest on."""

    min_similarity: Similarity | None = None
    max_results: Count | None = None
    review: Reviewers | None = None
    redact: Annotated[list[Words], Some] | None = None
    delete_by: Count | Literal["authorisation"] | None = None
    notify: Annotated[list[Words], Some] | None = None


class Duty(Scope):
    """What is asked of the calls that it binds, if they are allowed."""

    asks: Asked


class Offices(_Entry):
    """Whose authorisations count, and whose where they were given in urgency."""

    ordinary: list[Office]
    urgent: list[Office]


class Exemption(_Entry):
    """What lifts restrictions, for whom and what purpose, since and until when."""

    says: Words
    lifts: Annotated[list[RestrictionId], Some]
    tenants: Annotated[list[str], Some] | Literal["any"]
    kinds: Annotated[list[KindName], Some] | None = None
    purposes: Annotated[list[PurposeName], Some]
    requires: list[Literal["case", "jurisdiction", "on_behalf_of", "authorisation", "consent"]]
    offences: Annotated[list[Words], Some] | None = None
    offices: Offices | None = None
    since: Date
    until: OpenDate


class Source(_Entry):
    """Where a regime's text stands."""

    date: Date
    says: Words
    where: Words


class Regime(_Entry):
    """Ready-made law."""

    title: Words
    sources: Annotated[list[Source], Some]
    does_not_cover: Words
    restrictions: dict[str, Scope]
    exemptions: dict[str, Exemption]
    consent: dict[str, Scope] = {}
    duties: dict[str, Duty] = {}


class Similarities(_Entry):
    """Minimum similarities, in [0, 1]."""

    default: Similarity
    kinds: dict[KindName, Similarity] = {}
    purposes: dict[PurposeName, Similarity] = {}


class Thresholds(_Entry):
    """Which classes of actions have a minimum similarity, and which."""

    classes: list[ClassName]
    min_similarity: Similarities


class Counts(_Entry):
    """Maximum numbers of results."""

    default: Count
    kinds: dict[KindName, Count] = {}
    purposes: dict[PurposeName, Count] = {}


class Limits(_Entry):
    """Which classes of actions have a maximum of results, and which."""

    classes: list[ClassName]
    max_results: Counts


class RequiredReview(_Entry):
    """Who must wait for reviewers, and for how many distinct ones; an empty list is any."""

    kinds: list[KindName]
    purposes: list[PurposeName]
    reviewers: Reviewers


class Review(_Entry):
    """When a person should look, and the advice to; where they must before anybody sees candidates."""

    classes: list[ClassName]
    kinds: list[KindName]
    purposes: list[PurposeName]
    advice: Words
    required: dict[str, RequiredReview]


class Provenance(_Entry):
    """Which classes of actions want to know where a face came from, and how pictures are come by."""

    classes: list[ClassName]
    acquisitions: dict[str, Titled]


class Attribute(Titled):
    """What may be asked of a face: the class of response fields that it fills, and who may know.

    Everybody may where it is `open`, else the kinds of organisation that are named for a purpose.
    """

    withholds: str
    open: bool
    purposes: dict[PurposeName, list[KindName]]


class Redaction(_Entry):
    """Which classes of response fields are withheld, in answers to which classes of actions."""

    classes: list[ClassName]
    kinds: dict[KindName, list[str]]
    purposes: dict[PurposeName, list[str]]
    attributes: dict[str, Attribute]


class Issuer(Titled):
    """Who signs evidence: of what kind, good for how long at most, with which public keys (a JWKS)."""

    issues: Annotated[list[Literal["authorisation", "consent"]], Some]
    office: Office | None = None
    max_days: Annotated[int, Field(ge=1, le=3660)]
    keys: Annotated[list[dict[str, Any]], Some, AfterValidator(_public)]


class Event(Titled):
    """Something that ends a restriction when it comes; `date` is empty until it did."""

    date: OpenDate


class Topics(BaseModel):
    """`data.law`; an operator's own rules may bring topics of their own."""

    model_config = ConfigDict(extra="allow", strict=True)

    actions: dict[str, Action]
    classes: dict[str, Titled]
    kinds: dict[str, Kind]
    purposes: Purposes
    jurisdictions: dict[str, list[str]]
    regimes: Adopted
    exemptions: dict[str, Exemption]
    moratoria: dict[str, Scope]
    consent: dict[str, Scope]
    duties: dict[str, Duty]
    events: dict[str, Event]
    thresholds: Thresholds
    limits: Limits
    review: Review
    provenance: Provenance
    redaction: Redaction
    issuers: dict[str, Issuer]
    revocations: dict[str, list[str]]
    roles: dict[ActionName, Annotated[list[str], Some]]
    required_rules: Annotated[list[RuleName], Some]


class Document(_Entry):
    """`data`, whole."""

    law: Topics
    regimes: dict[str, Regime]


def check_law(law: Law) -> Law:
    """The law, unchanged. Raises FailedPrecondition, saying where it is malformed, if it is."""
    found = list(problems(law))
    if found:
        raise FailedPrecondition(
            f"the law is malformed: {'; '.join(found[:10])}", remedy="correct it and load it again"
        )
    return law


def problems(law: Law) -> Iterator[str]:
    """Every place where the law is malformed or uses a word that it does not define."""
    try:
        document = Document.model_validate(law.data, context=_vocabulary(law))
    except ValidationError as error:
        for problem in error.errors():
            yield f"{'/'.join(map(str, problem['loc']))}: {problem['msg']}"
        return
    for rule in sorted(set(law.rules) - set(document.law.required_rules)):
        yield f"law/required_rules: the rule {rule!r} is there and would not be asked"


def _vocabulary(law: Law) -> Mapping[str, Set[str]]:
    topics = {topic: _keys(law.data, "law", topic) for topic in _object(law.data, "law")}
    regimes = _keys(law.data, "regimes")
    restrictions = {f"moratoria/{key}" for key in topics.get("moratoria", ())}
    for regime in regimes:
        keys = _keys(law.data, "regimes", regime, "restrictions")
        restrictions |= {f"{regime}/{key}" for key in keys}
    named = {
        "acquisitions": _keys(law.data, "law", "provenance", "acquisitions"),
        "purposes": _keys(law.data, "law", "purposes", "known"),
        "regimes": regimes,
        "restrictions": restrictions,
        "rules": set(law.rules),
    }
    wanted = {
        name: set[str]() for name in ("actions", "classes", "kinds", "events", "jurisdictions")
    }
    return wanted | topics | named


def _keys(data: Any, *path: str) -> set[str]:
    return set(_object(data, *path))


def _object(data: Any, *path: str) -> Mapping[str, Any]:
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}
