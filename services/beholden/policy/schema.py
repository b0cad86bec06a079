"""What well-formed law looks like, so that a slip of the pen is found before it is in force.

The rules themselves fail closed on malformed law; this says where it is malformed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from beholden.policy.terms import (
    AcquisitionName,
    ActionName,
    ClassName,
    Count,
    Date,
    EventName,
    KindName,
    Office,
    OpenDate,
    Place,
    PurposeName,
    RegimeName,
    RestrictionId,
    Reviewers,
    RuleName,
    Similarity,
    Some,
    Words,
    public,
)


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
    keys: Annotated[list[dict[str, Any]], Some, AfterValidator(public)]


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
