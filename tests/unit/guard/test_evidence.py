"""Signed evidence: what holds becomes a fact, and every attack is refused by the key that it came with."""

import base64
import hmac
import json
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.guard.authorities import Authorities, read_authorities
from beholden.guard.evidence import evidence, token_type
from beholden.guard.minting import mint_evidence, new_key

NOW = 1_795_307_737  # 2026-11-22T00:35:37Z
COURT, DESK = "https://court.example", "https://consent.example"
KEYS: dict[str, Key] = {
    "OKP": new_key(),
    "EC": ECKey.generate_key("P-256"),
    "RSA": RSAKey.generate_key(2048),
}
DESK_KEY = new_key()
SCOPE = {
    "actions": ["face.search"],
    "purposes": ["criminal_investigation"],
    "collections": ["collections/wanted"],
    "offences": ["kidnapping"],
}


def issuer(*keys: Key, issues: str = "authorisation", max_days: int = 30) -> dict[str, Any]:
    public = [key.as_dict(private=False) for key in keys]
    return {"title": "It", "issues": [issues], "max_days": max_days, "keys": public}


AUTHORITIES = read_authorities(
    {COURT: issuer(*KEYS.values()), DESK: issuer(DESK_KEY, issues="consent")},
    {COURT: ["order-13"]},
)


def minted(kind: str = "authorisation", key: Key = KEYS["OKP"], **changes: Any) -> str:
    said: dict[str, Any] = {"issuer": COURT, "tenant": "metro-police", "id": "order-12"}
    return mint_evidence(key, kind, **{**said, "scope": SCOPE, "now": NOW - 60, **changes})


def claims(**changes: Any) -> dict[str, Any]:
    """A good authorisation's claims, changed; `...` takes one away."""
    good = {
        "iss": COURT, "aud": "beholden", "sub": "metro-police", "jti": "order-12",
        "nbf": NOW - 60, "exp": NOW + 3600, "scope": SCOPE,
    }  # fmt: skip
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def signed(said: dict[str, Any], key: Key = KEYS["EC"], **header: Any) -> str:
    head = {"alg": "ES256", "typ": token_type("authorisation"), "kid": key.thumbprint(), **header}
    registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
    return jwt.encode(head, said, key, registry=registry)


def shown(*tokens: str | bytes, kind: str = "authorisation", **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"tenant": "metro-police", "audience": "beholden", "now": NOW}
    authorities = changes.pop("authorities", AUTHORITIES)
    return evidence({f"beholden-{kind}": tokens}, authorities, **{**told, **changes})


def refused(*tokens: str | bytes, **options: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        shown(*tokens, **options)
    assert caught.value.reason == "EVIDENCE_INVALID"
    assert caught.value.field == f"beholden-{options.get('kind', 'authorisation')}"
    for token in tokens:
        parts = token.split("." if isinstance(token, str) else b".")  # type: ignore[arg-type]
        assert not any(
            part and len(part) > 8 and str(part) in caught.value.message for part in parts
        )
    return caught.value.problem


@pytest.mark.parametrize("kind", KEYS)
def test_what_holds_is_a_fact(kind: str) -> None:
    assert shown(minted(key=KEYS[kind])) == {
        "authorisation": {
            "id": "order-12",
            "issuer": COURT,
            **SCOPE,
            "case": "",
            "urgent": False,
            "issued": "2026-11-22T00:34:37Z",
            "expires": "2026-11-23T00:34:37Z",
        }
    }


def test_nothing_shown_is_no_fact() -> None:
    assert evidence({}, AUTHORITIES, tenant="t", audience="beholden", now=NOW) == {}


def test_a_consent_is_one_too() -> None:
    token = minted("consent", DESK_KEY, issuer=DESK, id="form-17")
    assert shown(token, kind="consent")["consent"]["id"] == "form-17"


def test_a_key_without_a_name_does_where_its_issuer_has_one_only() -> None:
    head = {"alg": "ES256", "typ": token_type("authorisation")}
    nameless = jwt.encode(head, claims(), KEYS["EC"])
    assert "key that its issuer is not known to have" in refused(nameless)
    one = read_authorities({COURT: issuer(KEYS["EC"])}, {})
    assert shown(nameless, authorities=one)


def test_a_forged_one() -> None:
    stranger = ECKey.generate_key("P-256")
    assert "signature" in refused(signed(claims(), stranger, kid=KEYS["EC"].thumbprint()))
    assert "key" in refused(signed(claims(), stranger))
    head, _, signature = minted().split(".")
    other = minted(tenant="daily-herald").split(".")[1]
    assert "signature" in refused(f"{head}.{other}.{signature}")


def test_another_algorithm() -> None:
    def part(document: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    kid = KEYS["RSA"].thumbprint()
    head = {"alg": "none", "typ": token_type("authorisation"), "kid": kid}
    assert "signature" in refused(f"{part(head)}.{part(claims())}.")
    # The public key taken for a shared secret.
    head = {"alg": "HS256", "typ": token_type("authorisation"), "kid": kid}
    content = f"{part(head)}.{part(claims())}"
    public = KEYS["RSA"].as_pem(private=False)
    digest = hmac.digest(public, content.encode(), "sha256")
    mac = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert "signature" in refused(f"{content}.{mac}")
    assert "signature" in refused(signed(claims(), KEYS["RSA"], alg="PS256", kid=kid))
    assert "signature" in refused(signed(claims(), KEYS["RSA"], alg="RS512", kid=kid))


def test_a_key_that_the_token_brings_is_not_believed() -> None:
    stranger = ECKey.generate_key("P-256")
    token = signed(claims(), stranger, jwk=stranger.as_dict(private=False))
    assert "not known to have" in refused(token)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exp": NOW}, "has expired"),
        ({"nbf": NOW + 1}, "is not yet valid"),
        ({"nbf": NOW - 60, "exp": NOW + 30 * 86400}, "at most the 30 days"),
        ({"nbf": NOW + 60, "exp": NOW + 30}, "for some time"),
        ({"exp": ...}, "must have nbf (or iat) and exp"),
        ({"nbf": ...}, "must have nbf (or iat) and exp"),
        ({"exp": True}, "whole seconds"),
        ({"exp": 1e300}, "whole seconds"),
        ({"exp": 2**63}, "whole seconds"),
        ({"exp": "never"}, "whole seconds"),
        ({"sub": "daily-herald"}, "another tenant"),
        ({"sub": ...}, "another tenant"),
        ({"aud": "elsewhere"}, "another installation"),
        ({"aud": ["beholden", "elsewhere"]}, "another installation"),
        ({"aud": ...}, "another installation"),
        ({"iss": DESK}, "issuer that the law names"),
        ({"iss": "https://nobody.example"}, "issuer that the law names"),
        ({"iss": ["a"]}, "issuer that the law names"),
        ({"jti": "order-13"}, "is revoked"),
        ({"jti": ...}, "jti"),
        ({"jti": "x" * 129}, "jti"),
        ({"jti": "a\nb"}, "jti"),
        ({"scope": ...}, "scope"),
        ({"scope": {**SCOPE, "tenants": ["*"]}}, "scope"),
        ({"scope": {**SCOPE, "actions": []}}, "scope.actions"),
        ({"scope": {**SCOPE, "purposes": "*"}}, "scope.purposes"),
        ({"scope": {**SCOPE, "collections": ["a"] * 33}}, "scope.collections"),
        ({"scope": {**SCOPE, "offences": [1]}}, "scope.offences"),
        ({"scope": {**SCOPE, "case": 4711}}, "scope.case"),
        ({"urgent": 1}, "urgent"),
        ({"urgent": True, "exp": NOW + 86400}, "more than 24 hours"),
    ],
)
def test_what_it_says_must_be_right(changes: dict[str, Any], problem: str) -> None:
    assert problem in refused(signed(claims(**changes)))


def test_clocks_may_differ_a_little() -> None:
    late, early = signed(claims(exp=NOW - 5)), signed(claims(nbf=NOW + 5))
    assert shown(late, leeway=10)
    assert shown(early, leeway=10)
    assert "expired" in refused(late, leeway=5)
    assert "not yet" in refused(early, leeway=4)


def test_an_urgent_one_lasts_a_day() -> None:
    assert shown(minted(urgent=True, lifetime=86400))["authorisation"]["urgent"] is True


@pytest.mark.parametrize("typ", ["JWT", "", token_type("consent")])
def test_another_kind_of_token(typ: Any) -> None:
    assert "another kind" in refused(signed(claims(), typ=typ))


def test_a_consent_does_not_authorise() -> None:
    token = minted("consent", DESK_KEY, issuer=DESK)
    assert "another kind" in refused(token)
    assert "issuer" in refused(minted(key=DESK_KEY, issuer=DESK))


@pytest.mark.parametrize(
    "tokens",
    [
        ("",), ("eyJ",), ("a.b.c",), ("..",), (b"a.b.c",), ("é.é.é",), ("x" * 8193,),
        ("x." * 4000,), (minted() + ".",), (minted() + ".x.y",),
        ("eyJhbGciOiJub25lIn0." + "W1" * 3000 + ".",),
    ],
)  # fmt: skip
def test_what_is_no_token(tokens: tuple[str, ...]) -> None:
    assert "signed JSON Web Token" in refused(*tokens)


def test_sent_twice() -> None:
    assert refused(minted(), minted()) == "must be sent once"
    assert refused() == "must be sent once"


def test_without_issuers_nothing_is_believed() -> None:
    assert "issuer" in refused(minted(), authorities=Authorities())


@pytest.mark.parametrize(
    "issuers",
    [
        {COURT: {}},
        {COURT: issuer()},
        {COURT: {**issuer(KEYS["EC"]), "issues": ["anything"]}},
        {COURT: {**issuer(), "keys": [KEYS["EC"].as_dict(private=True)]}},
        {COURT: {**issuer(), "keys": [OctKey.generate_key(256).as_dict(private=True)]}},
        {COURT: issuer(ECKey.generate_key("P-384"))},
        {COURT: issuer(OKPKey.generate_key("X25519"))},
        {COURT: {**issuer(), "keys": [{"kty": "EC"}]}},
        {COURT: 1},
        [],
    ],
)
def test_issuers_that_do_not_do(issuers: Any) -> None:
    with pytest.raises(FailedPrecondition, match="issuer"):
        read_authorities(issuers, {})


@pytest.mark.parametrize("revocations", [[], {COURT: "order-13"}, {COURT: [13]}])
def test_revocations_that_do_not_do(revocations: Any) -> None:
    with pytest.raises(FailedPrecondition):
        read_authorities({}, revocations)
