"""Cases as data: law, time and facts, and the decision they must have; run on any engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from beholden.core.errors import FailedPrecondition
from beholden.core.law import Decision, Facts, Json, Obligation
from beholden.policy.law import Law, digest
from beholden.policy.tenants import Tenant

_LEAST = ("delete_by", "max_results")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Given(_Entry):
    """What a call is about; of a list, each member in turn, and of several lists each combination."""

    tenant: str | list[str] = "daily-herald"
    """Ids in the registry."""

    action: str | list[str] = "face.search"
    purpose: str | list[str] = ""
    jurisdiction: str | list[str] = ""
    on_behalf_of: str | list[str] = ""
    case: str | list[str] = ""
    realtime: str | list[str] = ""
    public_space: str | list[str] = ""
    roles: list[str] = []
    evidence: dict[str, Any] = {}
    request: dict[str, Any] = {}
    now: str | list[str] = "2026-11-22T00:35:37Z"

    def facts(self, tenants: Mapping[str, Tenant]) -> Iterator[Facts]:
        """The facts of each combination, as the guard would gather them."""
        choices = {
            name: value if isinstance(value, list) else [value]
            for name, value in self.model_dump(exclude={"roles", "evidence", "request"}).items()
        }
        for chosen in product(*choices.values()):
            yield self._facts(dict(zip(choices, chosen, strict=True)), tenants)

    def _facts(self, one: dict[str, str], tenants: Mapping[str, Tenant]) -> Facts:
        now = one.pop("now")
        instant = datetime.fromisoformat(now).astimezone(UTC)
        facts: dict[str, Json] = {
            **one,
            "principal": {"id": "someone", "roles": self.roles},
            "tenant": tenants[one["tenant"]].facts(),
            "evidence": self.evidence,
            "request": self.request,
            "time": {"now": now, "ns": int(instant.timestamp()) * 10**9},
        }
        if one["on_behalf_of"] in tenants:
            facts["client"] = tenants[one["on_behalf_of"]].facts()
        return facts


class Want(_Entry):
    """What must be decided; what is left out may be anything."""

    allow: bool
    because: list[str] | None = None
    """The law entries of all reasons (of facts that are malformed, the code)."""

    says: str = ""
    """A part of the explanation."""

    exemptions: list[str] | None = None
    obligations: dict[str, Any] | None = None
    """By kind; of several of one kind the strictest, of lists all that they name."""

    def differences(self, decision: Decision) -> Iterator[str]:
        """Where the decision is another."""
        found = {
            "allow": decision.allowed,
            "because": sorted({reason.law or reason.code for reason in decision.reasons}),
            "exemptions": sorted(decision.exemptions),
            "obligations": _strictest(decision.obligations),
        }
        for name, value in found.items():
            wanted = getattr(self, name)
            wanted = sorted(wanted) if isinstance(wanted, list) else wanted
            if wanted is not None and wanted != value:
                yield f"{name}: {value!r}, not {wanted!r}"
        if self.says not in decision.explanation():
            yield f"says {decision.explanation()!r}, without {self.says!r}"


class Case(_Entry):
    """One or more calls and what is decided on them."""

    name: str
    given: Given
    want: Want


class Cases(_Entry):
    """A file of cases; `law` are topics that take the place of the folder's own.

    `tenants` are other organisations that call here, beside the registry's.
    """

    description: str
    law: dict[str, Any] = {}
    tenants: list[Tenant] = []
    cases: list[Case]

    def calls(self, tenants: Mapping[str, Tenant]) -> Iterator[tuple[Case, Facts]]:
        """Every call of every case. Raises KeyError for a tenant that is nowhere registered."""
        known = {**tenants, **{tenant.id: tenant for tenant in self.tenants}}
        for case in self.cases:
            for facts in case.given.facts(known):
                yield case, facts

    def under(self, law: Law) -> Law:
        """The law that the cases are about."""
        own = law.data["law"]
        assert isinstance(own, Mapping)
        data = {**law.data, "law": {**own, **self.law}}
        return replace(law, data=data, revision=digest(law.modules, data))


def _strictest(obligations: Iterable[Obligation]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in obligations:
        value: Any = one.value
        if one.kind in found:
            before = found[one.kind]
            if isinstance(value, list):
                value = [*before, *value]
            else:
                value = (min if one.kind in _LEAST else max)(before, value)
        found[one.kind] = sorted(value) if isinstance(value, list) else value
    return found


def load_cases(path: Path) -> Cases:
    """Reads a file of cases. Raises FailedPrecondition, naming the place, for anything unexpected."""
    try:
        return Cases.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise FailedPrecondition(f"{path}: {error}", remedy="correct it") from error
