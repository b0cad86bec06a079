"""The regimes' cases over the wire: tokens, metadata and signed evidence in, status and record out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from joserfc.jwk import OKPKey

from beholden.core.law import Decision, Obligation, Reason
from beholden.guard.authorities import read_authorities
from beholden.guard.minting import mint_evidence
from beholden.guard.tokens import mint
from beholden.policy.cases import Cases, load_cases
from tests.contract.policy_engines import POLICIES, TENANTS, law, opened
from tests.integration.guard.house import KEY, METHODS, House, action, house, valid

SIGNER = OKPKey.import_key(
    {
        "kty": "OKP",
        "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }
)
"""The key of RFC 8037, appendix A.1, with which every issuer of the cases signs."""

FACE = "00000000-0000-7000-8000-000000000000"
BY_ACTION = {action(method): method for method in METHODS}


@dataclass
class Served:
    """A house under the law of a file of cases, and its time, in nanoseconds."""

    home: House
    moment: list[int]

    async def ask(self, facts: Mapping[str, Any]) -> tuple[grpc.StatusCode, Decision | None]:
        """How the call of these facts ends, and the decision that was recorded."""
        now = self.moment[0] = facts["time"]["ns"]
        before = len(self.home.book.records)
        method = BY_ACTION[facts["action"]]
        token = mint(
            KEY,
            principal=facts["principal"]["id"],
            tenant=facts["tenant"]["id"],
            roles=facts["principal"]["roles"],
            now=now / 1e9,
        )
        code = grpc.StatusCode.OK
        try:
            await self.home.call(
                method.name, request(method, facts), token=token, metadata=metadata(facts)
            )
        except grpc.aio.AioRpcError as error:
            code = error.code()
        records = self.home.book.records[before:]
        return code, _decision(records[0].body["decision"]) if records else None


def request(method: Any, facts: Mapping[str, Any]) -> Message:
    """Of the facts as the API has them. Raises ParseError for what it has no word for."""
    made = valid(method)
    said = dict(facts["request"])
    collection = said.pop("collection", "")
    if collection and "parent" in made.DESCRIPTOR.fields_by_name:
        made.parent = collection
    elif collection:
        made.name = f"{collection}/faces/{FACE}"
    return ParseDict(said, made)


def metadata(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = ("purpose", "jurisdiction", "on_behalf_of", "case", "realtime", "public_space")
    pairs = [(f"beholden-{name.replace('_', '-')}", facts[name]) for name in said if facts[name]]
    for kind, one in facts["evidence"].items():
        scope = ("actions", "purposes", "collections", "offences", "case")
        begin, end = (
            int(datetime.fromisoformat(one[name]).timestamp()) for name in ("issued", "expires")
        )
        token = mint_evidence(
            SIGNER,
            kind,
            issuer=one["issuer"],
            tenant=facts["tenant"]["id"],
            id=one["id"],
            scope={name: one[name] for name in scope},
            lifetime=end - begin,
            urgent=one["urgent"],
            now=begin,
        )
        pairs.append((f"beholden-{kind}", token))
    return pairs


def _decision(body: Mapping[str, Any]) -> Decision:
    return Decision(
        allowed=body["allowed"],
        revision=body["revision"],
        reasons=tuple(Reason(**one) for one in body["reasons"]),
        obligations=tuple(Obligation(**one) for one in body["obligations"]),
        exemptions=tuple(body["exemptions"]),
    )


@asynccontextmanager
async def under(cases: Cases, kind: str, folder: Path) -> AsyncIterator[Served]:
    topics: Any = cases.under(law()).data["law"]
    authorities = read_authorities(topics["issuers"], topics["revocations"])
    registry = {**TENANTS, **{tenant.id: tenant for tenant in cases.tenants}}
    reviews: Any = object()  # nothing is found here, so nothing waits
    async with opened(kind, cases.under(law()), folder) as engine:
        moment = [0]
        guarding = {
            "policy": engine,
            "tenants": {name: one.facts() for name, one in registry.items()},
            "authorities": lambda: authorities,
            "reviews": reviews,
            "notifies": True,
            "clock": lambda: moment[0],
        }
        async with house(folder, guarding=guarding) as home:
            yield Served(home, moment)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("eu-ai-act", "rego"),
        ("italy-garante-2021", "opa-unix"),
        ("amazon-2021", "opa-unix"),
        ("amazon-public-safety", "opa-http"),
        ("strict", "opa-unix"),
    ],
)
async def test_cases_over_the_wire(name: str, kind: str, tmp_path: Path) -> None:
    cases = load_cases(POLICIES / "cases" / f"{name}.yaml")
    asked, wrong = 0, []
    async with under(cases, kind, tmp_path) as served:
        for case, facts in cases.calls(TENANTS):
            try:
                code, decision = await served.ask(facts)
            except ParseError:
                continue  # the API has no word for it
            asked += 1
            allowed = code is grpc.StatusCode.OK
            if allowed != case.want.allow:
                wrong.append(f"{case.name}: {facts}: {code}")
            elif decision is None:
                # Evidence that is stale or revoked is not taken at the door.
                if code is not grpc.StatusCode.INVALID_ARGUMENT:
                    wrong.append(f"{case.name}: {facts}: {code} without a decision")
            else:
                wrong += [f"{case.name}: {one}" for one in case.want.differences(decision)]
    assert not wrong, "\n".join(wrong)
    assert asked > 5
