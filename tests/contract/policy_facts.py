"""Random facts: mostly plausible, often at an edge, sometimes nonsense; the same for the same seed."""

from __future__ import annotations

import random
from typing import Any

from tests.contract.policy_engines import NOW, NS, TENANTS, law

_LAW: Any = law().data["law"]
ACTIONS = sorted(_LAW["actions"])
PURPOSES = sorted(_LAW["purposes"]["known"])
KINDS = sorted(_LAW["kinds"])
ACQUISITIONS = sorted(_LAW["provenance"]["acquisitions"])
JUNK: list[Any] = [
    "", " ", "x", "*", "é", "𝔭olice", 'a"b', "a\\b", "\x01", "\u2028", "police_department ",
    "Police_Department", 0, 1, -1, 1.5, True, False, None, [], {}, ["x"], {"x": 1}, "2021-05-18",
]  # fmt: skip
SIMILARITIES = [0, 0.8, 0.85, 0.98999999, 0.9899999, 0.99, 0.9900001, 1, 1e-7, 1e22, "0.99", -1]
TIMES = [
    NOW, "2020-06-09T23:59:59Z", "2020-06-10T00:00:00Z", "2027-06-09T23:59:59Z",
    "2027-06-10T00:00:00Z", "2020-06-07T12:00:00Z", "2030-01-01T00:00:00Z",
]  # fmt: skip


COURT = "https://court.example"


def random_facts(source: random.Random) -> dict[str, Any]:
    """One call."""
    tenant = dict(source.choice(list(TENANTS.values())).facts())
    if source.random() < 0.2:
        tenant["kind"] = source.choice(KINDS)
    if source.random() < 0.2:
        tenant["jurisdiction"] = source.choice(["IT", "DE-BE", "JP", "US", "EU"])
    facts: dict[str, Any] = {
        "principal": {"id": "ann", "roles": source.sample(["auditor", "operator", "reader"], 1)},
        "tenant": tenant,
        "action": source.choice(ACTIONS),
        "purpose": source.choice([*[""] * len(PURPOSES), *PURPOSES]),
        "jurisdiction": source.choice(["", "", "", "US-WA", "IT", "it", "FR-75"]),
        "on_behalf_of": "",
        "case": source.choice(["", "", "4711"]),
        "realtime": source.choice(["", "no", "yes"]),
        "public_space": source.choice(["", "no", "yes"]),
        "evidence": {},
        "request": {
            "collection": "collections/staff",
            "min_similarity": source.choice(SIMILARITIES),
            "max_results": source.choice([0, 1, 10, 4096]),
            "provenance": source.choice(
                [None, {}, {"source": "web"}, {"source": "web", "consent_id": "c"}, {"legal_basis": "x"},
                 {"source": "web", "legal_basis": "x", "acquisition": source.choice(ACQUISITIONS)}]
            ),
        },
        "time": {"now": source.choice(TIMES), "ns": NS},
    }  # fmt: skip
    if source.random() < 0.3:
        client = source.choice(list(TENANTS.values()))
        facts["on_behalf_of"] = source.choice([client.id, source.choice(KINDS), "nobody"])
        facts["client"] = client.facts()
    if source.random() < 0.3:
        facts["evidence"] = {"authorisation": _authorisation(source)}
    if source.random() < 0.15:
        asked = source.choice([[], ["FACE_ATTRIBUTE_ALL"], ["FACE_ATTRIBUTE_EMOTIONS"]])
        facts["request"]["attributes"] = asked
    for _ in range(source.choice([0, 0, 0, 1, 2])):
        _spoil(facts, source)
    return facts


def _authorisation(source: random.Random) -> dict[str, Any]:
    """Evidence as the guard has found it sound; whether it covers the call is another matter."""
    return {
        "id": source.choice(["order-1", "order-2"]),
        "issuer": source.choice([COURT, COURT, "https://elsewhere.example"]),
        "actions": source.choice([["*"], ["face.search"], ["face.index", "face.compare"]]),
        "purposes": source.choice([["*"], source.sample(PURPOSES, 2)]),
        "collections": source.choice([["*"], ["collections/staff"], ["collections/other"]]),
        "offences": source.choice([[], ["murder"], ["theft", "murder"]]),
        "case": source.choice(["", "", "4711"]),
        "urgent": source.random() < 0.3,
        "issued": "2020-01-01T00:00:00Z",
        "expires": source.choice(TIMES),
    }


def _spoil(facts: dict[str, Any], source: random.Random) -> None:
    """Takes a fact away, or puts junk in its place."""
    place = facts
    name = source.choice(sorted(place))
    while isinstance(place[name], dict) and place[name] and source.random() < 0.7:
        place = place[name]
        name = source.choice(sorted(place))
    if source.random() < 0.3:
        del place[name]
    else:
        place[name] = source.choice(JUNK)
