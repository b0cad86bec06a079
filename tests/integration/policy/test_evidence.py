"""Signed evidence over the wire: what it opens, every attack on it, and what the ledger keeps of it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from joserfc.jwk import Key

from beholden.guard.minting import mint_evidence, new_key
from beholden.v1 import governance_pb2, governance_pb2_grpc, search_pb2, search_pb2_grpc
from tests.contract.policy_engines import POLICIES
from tests.house import BEHOLDEN, House, house

COURT = "https://court.example"
PURPOSE = "criminal_investigation"
FACE = "collections/wanted/faces/00000000-0000-7000-8000-000000000000"
KEY = new_key()
EXEMPTION = {
    "says": "a court's authorisation",
    "lifts": ["amazon-2021/police-face-comparison"],
    "tenants": "any",
    "purposes": [PURPOSE],
    "requires": ["authorisation"],
    "offences": ["kidnapping"],
    "since": "2020-06-10",
    "until": "",
}
SCOPE: dict[str, Any] = {
    "actions": ["face.search"],
    "purposes": [PURPOSE],
    "collections": ["collections/wanted"],
    "offences": ["kidnapping"],
}


def write(folder: Path, topic: str, document: Any) -> None:
    """As a careful operator does it: whole or not at all."""
    path = folder / "law" / topic / "data.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(document))
    part.replace(path)


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("evidence")
    policies = Path(shutil.copytree(POLICIES, folder / "policies"))
    public = KEY.as_dict(private=False)
    issuer = {"title": "The court", "issues": ["authorisation"], "max_days": 30, "keys": [public]}
    write(policies, "issuers", {COURT: issuer})
    write(policies, "exemptions", {"court": EXEMPTION})
    with house(folder, ("search", "governance"), POLICY_URL=f"file:{policies}") as running:
        yield running


def order(key: Key = KEY, **changes: Any) -> str:
    said: dict[str, Any] = {"issuer": COURT, "tenant": "metro-police", "id": "order-12"}
    return mint_evidence(key, "authorisation", **{**said, "scope": SCOPE, **changes})


def search(
    served: House, *orders: str, tenant: str = "metro-police", face: str = FACE
) -> tuple[grpc.StatusCode, str]:
    """How a search ends; with NOT_FOUND where the law lets it on to a collection that is not there."""
    metadata = [
        *served.headers(tenant, PURPOSE),
        *(("beholden-authorisation", one) for one in orders),
    ]
    with served.channel() as channel:
        stub = search_pb2_grpc.SearchServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.SearchFaces(
                search_pb2.SearchFacesRequest(name=face), metadata=metadata, timeout=20
            )
    return caught.value.code(), str(caught.value.details())


Code = grpc.StatusCode


def test_an_order_opens_what_it_names_and_nothing_else(served: House) -> None:
    code, said = search(served)
    assert code is Code.PERMISSION_DENIED
    assert "a court's authorisation" in said
    assert search(served, order())[0] is Code.NOT_FOUND
    # Again, while it lasts.
    assert search(served, order())[0] is Code.NOT_FOUND
    for scope, problem in (
        ({"actions": ["face.search_by_image"]}, "not for this action"),
        ({"purposes": ["missing_persons"]}, "not for this purpose"),
        ({"collections": ["collections/other"]}, "not for this collection"),
        ({"case": "4711"}, "not for this case"),
    ):
        code, said = search(served, order(scope={**SCOPE, **scope}))
        assert code is Code.PERMISSION_DENIED
        assert problem in said
    assert (
        search(served, order(scope={**SCOPE, "offences": ["theft"]}))[0] is Code.PERMISSION_DENIED
    )


def test_what_is_not_right_is_refused_by_its_key(served: House) -> None:
    for orders, problem in (
        ((order(new_key()),), "key"),
        ((order(tenant="daily-herald"),), "another tenant"),
        ((order(audience="elsewhere"),), "another installation"),
        ((order(now=1_600_000_000),), "has expired"),
        ((order(now=4_000_000_000),), "not yet valid"),
        ((order(lifetime=31 * 86400),), "at most the 30 days"),
        ((order(issuer="https://nobody.example"),), "issuer"),
        (("x" * 8193,), "at most 8192"),
        ((order(), order()), "must be sent once"),
    ):
        code, said = search(served, *orders)
        assert code is Code.INVALID_ARGUMENT, problem
        assert said.startswith("beholden-authorisation: "), said
        assert problem in said
        assert not any(part in said for one in orders for part in one.split(".") if len(part) > 20)


def test_a_copied_order_is_of_no_use_to_another_tenant(served: House) -> None:
    code, said = search(served, order(), tenant="find-the-lost")
    assert code is Code.INVALID_ARGUMENT
    assert "another tenant" in said


def test_the_ledger_keeps_its_id_and_not_the_token(served: House) -> None:
    token = order(id="order-99")
    search(served, token)
    with served.channel() as channel:
        stub = governance_pb2_grpc.GovernanceServiceStub(channel)
        listed = stub.ListDecisions(
            governance_pb2.ListDecisionsRequest(),
            metadata=served.headers("metro-police"),
            timeout=20,
        )
    bodies = [MessageToDict(one.body) for one in listed.records if one.kind == "decision"]
    kept = [body["facts"]["evidence"] for body in bodies if "facts" in body]
    assert any(one.get("authorisation", {}).get("id") == "order-99" for one in kept)
    for file in served.folder.glob("*"):
        if file.is_file():
            assert token.split(".")[2].encode() not in file.read_bytes(), file


def test_it_may_be_explained_before_it_is_used(served: House) -> None:
    request = governance_pb2.ExplainAccessRequest(action="face.search")
    request.request["collection"] = "collections/wanted"
    metadata = [
        *served.headers("metro-police", PURPOSE),
        ("beholden-authorisation", order()),
    ]
    with served.channel() as channel:
        stub = governance_pb2_grpc.GovernanceServiceStub(channel)
        told = stub.ExplainAccess(request, metadata=metadata, timeout=20)
        assert told.decision.allowed
        assert list(told.decision.exemptions) == ["exemptions/court"]
        (restriction,) = told.restrictions
        assert restriction.law == "amazon-2021/police-face-comparison"
        assert list(restriction.lifted_by) == ["exemptions/court"]
        lacking = {one.law: list(one.lacking) for one in told.exemptions}
        assert lacking["exemptions/court"] == []
        assert "declare or show: case" in lacking["amazon-2021/missing-persons"]
        request.request["collection"] = "collections/other"
        decision = stub.ExplainAccess(request, metadata=metadata, timeout=20).decision
    assert not decision.allowed
    assert "EVIDENCE_OUT_OF_SCOPE" in {reason.code for reason in decision.reasons}


def test_what_is_wanting_is_told_at_the_terminal(served: House) -> None:
    said = ("--as", "metro-police", "--purpose", PURPOSE, "--server", served.address)
    run = subprocess.run(
        [BEHOLDEN, *said, "explain", "face.search", "--fact", "collection=collections/wanted"],
        env={**served.env, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 3, run.stderr
    assert "for exemptions/court: declare or show: authorisation" in run.stdout
    assert "show an authorisation for one of its offences" in run.stdout


def test_a_revocation_counts_at_once(served: House) -> None:
    policies = served.folder / "policies"
    token = order(id="order-77")
    assert search(served, token)[0] is Code.NOT_FOUND
    write(policies, "revocations", {COURT: ["order-77"]})
    code, said = search(served, token)
    assert (code, said) == (Code.INVALID_ARGUMENT, "beholden-authorisation: is revoked")
    assert search(served, order())[0] is Code.NOT_FOUND


def test_a_list_that_cannot_be_read_stops_evidence_and_nothing_else(served: House) -> None:
    policies = served.folder / "policies"
    (policies / "law" / "revocations" / "data.json").write_text("{")
    assert search(served, order())[0] is Code.UNAVAILABLE
    assert search(served)[0] is Code.PERMISSION_DENIED
    write(policies, "revocations", {})
    assert search(served, order())[0] is Code.NOT_FOUND
