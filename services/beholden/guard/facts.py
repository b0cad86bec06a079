"""Gathers everything true about a call that the law may know: the policy's input."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from beholden.core.errors import InvalidArgument
from beholden.core.law import Facts, Json
from beholden.guard.authorities import KINDS, Authorities
from beholden.guard.call import Answer, Call, Next, Principal, Tenants
from beholden.guard.declarations import YES_OR_NO, declarations
from beholden.guard.evidence import evidence
from beholden.guard.fields import (
    AnnotationError,
    Path,
    annotated,
    dotted,
    holders,
    is_set,
    policy_of,
)

# Less is hashed sooner than a thread takes it up.
_HASHED_HERE = 256 * 1024

_SECOND = 1_000_000_000


Form = Callable[[Json], Json]
"""From a field's value to the fact."""


@dataclass(frozen=True, slots=True)
class FactPlan:
    """Where a request type keeps its facts and declarations, by name, and its pictures."""

    facts: tuple[tuple[str, Path, Form], ...]
    media: tuple[Path, ...]
    declares: tuple[tuple[str, Path], ...] = ()


class Gathering:
    """Sets the call's media digests and facts.

    `clock` is Unix time in nanoseconds; `authorities` are whose evidence is believed now; `audience`
    and `leeway` (seconds) are those of every token here.
    """

    def __init__(
        self,
        tenants: Tenants,
        clock: Callable[[], int],
        authorities: Callable[[], Authorities],
        *,
        audience: str,
        leeway: int,
    ) -> None:
        self._tenants = tenants
        self._clock = clock
        self._authorities = authorities
        self._audience = audience
        self._leeway = leeway

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises InvalidArgument for a declaration or evidence that cannot be taken, Unavailable."""
        said = declared(call.method.facts, call.request, declarations(call.metadata))
        now_ns = self._clock()
        facts: dict[str, Json] = {
            "principal": principal_facts(call.principal),
            "tenant": call.tenant,
            "action": call.method.action,
            **said,
            "realtime": "yes" if call.method.realtime else said["realtime"],
            "evidence": await self._evidence(call, now_ns),
            "request": request_facts(call.method.facts, call.request),
            "time": time_facts(now_ns),
        }
        client = self._tenants.get(said["on_behalf_of"])
        if client is not None:
            facts["client"] = {**client, "id": said["on_behalf_of"]}
        call.facts = facts
        call.media = await digests(call.method.facts, call.request)
        call.tally.message(call.media)
        call.rest = _each(call, call.rest)
        return await proceed(call)

    async def _evidence(self, call: Call, now_ns: int) -> Facts:
        """Signatures are checked, and the law's files read, beside the event loop."""
        if not any(f"beholden-{kind}" in call.metadata for kind in KINDS):
            return {}
        return await asyncio.to_thread(self._checked, call, now_ns)

    def _checked(self, call: Call, now_ns: int) -> Facts:
        return evidence(
            call.metadata,
            self._authorities(),
            tenant=call.principal.tenant,
            audience=self._audience,
            now=now_ns / 1e9,
            leeway=self._leeway,
        )


async def _each(call: Call, messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
    """A stream's messages, once sure that they say nothing else than what the law was asked about."""
    plan, asked = call.method.facts, call.facts["request"]
    assert isinstance(asked, Mapping)
    async for message in messages:
        for name, value in request_facts(plan, message).items():
            if name not in asked or asked[name] != value:
                path = next(path for fact, path, _ in plan.facts if fact == name)
                where = f"messages[{call.tally.messages}].{dotted(path)}"
                raise InvalidArgument(where, "must be as the stream's first message says, or unset")
        call.media = await digests(plan, message)
        call.tally.message(call.media)
        yield message


def compile_facts(request: Descriptor) -> FactPlan:
    """The plan for a request type.

    Raises AnnotationError for a fact that would carry bytes, come more than once, or share its name.
    """
    paths = annotated(request, lambda policy: policy.fact)
    facts = tuple(fact for path in paths for fact in _facts_of(path))
    names = [name for name, *_ in facts]
    for name, path, _ in facts:
        field = path[-1]
        if field.type == FieldDescriptor.TYPE_BYTES:
            raise AnnotationError(f"{field.full_name}: bytes must not be a fact")
        if names.count(name) > 1 or any(above.is_repeated for above in path[:-1]):
            raise AnnotationError(f"{field.full_name}: the fact {name} would have several values")
    declares = annotated(request, lambda policy: policy.declares)
    for path in declares:
        name, field = policy_of(path[-1]).declares, path[-1]
        if name not in YES_OR_NO or not field.has_presence or field.type != field.TYPE_BOOL:
            raise AnnotationError(f"{field.full_name}: only an optional bool declares yes or no")
    return FactPlan(
        facts,
        annotated(request, lambda policy: policy.media),
        tuple((policy_of(path[-1]).declares, path) for path in declares),
    )


def _facts_of(path: Path) -> Iterator[tuple[str, Path, Form]]:
    """A field's fact, as the full name of a resource, and the resource that this one is in."""
    policy = policy_of(path[-1])
    form = policy.fact_form
    yield policy.fact, path, lambda value: form.replace("{}", str(value)) if form else value
    if policy.parent_fact:
        # {parent}/{kind}/{id}, as validation has checked.
        yield policy.parent_fact, path, lambda value: str(value).rsplit("/", 2)[0]


def request_facts(plan: FactPlan, request: Message) -> dict[str, Json]:
    """The request's own facts; those that the caller left out are absent."""
    return {
        name: form(_json(path[-1], getattr(holder, path[-1].name)))
        for name, path, form in plan.facts
        for holder in holders(request, path)
        if is_set(holder, path[-1])
    }


def declared(plan: FactPlan, request: Message, said: dict[str, str]) -> dict[str, str]:
    """What was `said` in metadata, with what the request declares. Raises InvalidArgument: they differ."""
    for name, path in plan.declares:
        for holder in holders(request, path):
            if not is_set(holder, path[-1]):
                continue
            value = "yes" if getattr(holder, path[-1].name) else "no"
            if said[name] not in ("", value):
                raise InvalidArgument(dotted(path), "must agree with the call's metadata")
            said = {**said, name: value}
    return said


def principal_facts(principal: Principal) -> Facts:
    """Who calls, as the law sees it."""
    return {"id": principal.id, "roles": list(principal.roles)}


def time_facts(now_ns: int) -> Facts:
    """Unix time in nanoseconds as the law reads it: an instant in UTC, and the integer.

    Whole seconds in both, the finest that dates in the law have: the same call in the same second is
    then the same facts. The ledger has the time of each record to the nanosecond.
    """
    seconds = now_ns // _SECOND
    now = datetime.fromtimestamp(seconds, UTC)
    return {"now": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "ns": seconds * _SECOND}


async def digests(plan: FactPlan, request: Message) -> tuple[str, ...]:
    """SHA-256 (hex) of every picture in the request, in field order; large ones beside the event loop."""
    pictures = tuple(_pictures(plan, request))
    if sum(map(len, pictures)) <= _HASHED_HERE:
        return tuple(map(_sha256, pictures))
    return tuple(await asyncio.gather(*(asyncio.to_thread(_sha256, one) for one in pictures)))


def _pictures(plan: FactPlan, request: Message) -> Iterator[bytes]:
    for path in plan.media:
        for holder in holders(request, path):
            if path[-1].is_repeated:
                yield from getattr(holder, path[-1].name)
            elif is_set(holder, path[-1]):
                yield getattr(holder, path[-1].name)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(field: FieldDescriptor, value: Any) -> Json:
    if field.is_repeated:
        return [_plain(field, item) for item in value]
    return _plain(field, value)


def _plain(field: FieldDescriptor, value: Any) -> Json:
    plain: Json
    if field.message_type is not None:
        plain = MessageToDict(value, preserving_proto_field_name=True)
    elif field.enum_type is not None:
        plain = field.enum_type.values_by_number[value].name
    elif field.type == FieldDescriptor.TYPE_FLOAT:
        plain = shortest(value)
    else:
        plain = value
    return plain


def shortest(value: float) -> float:
    """The shortest decimal that is this 32-bit float: 0.9, which the law knows, for 0.8999999761581421."""
    single = struct.pack("f", value)
    return next(
        short
        for digits in range(6, 18)
        if struct.pack("f", short := float(f"{value:.{digits}g}")) == single
    )
