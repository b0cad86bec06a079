"""Tokens that are believed, and every way to forge one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from beholden.core.errors import Unauthenticated
from beholden.guard.call import Principal
from beholden.guard.identity import bearer
from beholden.guard.keys import ALGORITHMS, StaticKeys, key_set
from beholden.guard.tokens import Verifier, mint

NOW = 1_800_000_000
SECRET = b"0123456789abcdef0123456789abcdef"
OCT, RSA, EC = OctKey.import_key(SECRET), RSAKey.generate_key(2048), ECKey.generate_key("P-256")
CLAIMS = {
    "sub": "ada",
    "tenant": "daily-herald",
    "roles": ["editor"],
    "aud": "beholden",
    "exp": NOW + 60,
}


def b64(content: bytes | dict[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims: dict[str, Any], header: dict[str, Any] | None = None, key: Key = OCT) -> str:
    return jwt.encode({"alg": ALGORITHMS[key.key_type]} | (header or {}), claims, key)


def raw(header: dict[str, Any] | bytes, payload: bytes, secret: bytes = SECRET) -> str:
    """A token signed with HMAC SHA-256 whatever its header says."""
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def verifier(
    *keys: Key, issuer: str = "", leeway: int = 0, now: list[float] | None = None
) -> Verifier:
    held = StaticKeys({}, keys[0] if keys else OCT)
    clock = now or [NOW]
    return Verifier(held, audience="beholden", issuer=issuer, leeway=leeway, clock=lambda: clock[0])


@pytest.mark.parametrize("key", [OCT, RSA, EC], ids=["HS256", "RS256", "ES256"])
async def test_believes_what_its_own_key_signed(key: Key):
    token = mint(key, principal="ada", tenant="t", roles=["a", "b"], now=NOW)
    assert await verifier(key).verify(token) == Principal("ada", "t", ("a", "b"))


@pytest.mark.parametrize(
    "claims",
    [
        CLAIMS | {"aud": ["other", "beholden"]},
        CLAIMS | {"nbf": NOW},
        CLAIMS | {"iat": NOW - 5},
        CLAIMS | {"exp": NOW + 0.5},
        CLAIMS | {"iss": "anybody"},
        {key: value for key, value in CLAIMS.items() if key != "roles"},
    ],
)
async def test_good_claims(claims: dict[str, Any]):
    assert (await verifier().verify(signed(claims))).id == "ada"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exp": NOW}, "expired"),
        ({"exp": NOW - 3600}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": str(NOW + 60)}, "exp"),
        ({"exp": True}, "exp"),
        ({"nbf": NOW + 1}, "not yet valid"),
        ({"nbf": "soon"}, "nbf"),
        ({"iat": NOW + 100}, "future"),
        ({"aud": None}, "aud"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["other"]}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": "beholden.example"}, "aud"),
        ({"aud": {"beholden": 1}}, "aud"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "a\nb"}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"tenant": None}, "tenant"),
        ({"tenant": ["t"]}, "tenant"),
        ({"tenant": ""}, "tenant"),
        ({"roles": "admin"}, "roles"),
        ({"roles": [1]}, "roles"),
        ({"roles": ["r"] * 65}, "roles"),
    ],
)
async def test_bad_claims(changes: dict[str, Any], says: str):
    claims = {key: value for key, value in (CLAIMS | changes).items() if value is not None}
    with pytest.raises(Unauthenticated, match=says):
        await verifier().verify(signed(claims))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-Infinity"])
async def test_an_expiry_that_is_no_number_does_not_last_for_ever(number: str):
    payload = json.dumps(CLAIMS | {"exp": 0}).replace('"exp": 0', f'"exp": {number}').encode()
    with pytest.raises(Unauthenticated):
        await verifier().verify(raw({"alg": "HS256"}, payload))


async def test_leeway_is_for_both_ends():
    lenient = verifier(leeway=10)
    await lenient.verify(signed(CLAIMS | {"exp": NOW - 9, "nbf": NOW + 10}))
    with pytest.raises(Unauthenticated, match="expired"):
        await lenient.verify(signed(CLAIMS | {"exp": NOW - 10}))


async def test_issuer():
    strict = verifier(issuer="https://id.example")
    await strict.verify(signed(CLAIMS | {"iss": "https://id.example"}))
    for other in ({}, {"iss": "https://id.example.evil"}, {"iss": ["https://id.example"]}):
        with pytest.raises(Unauthenticated, match="iss"):
            await strict.verify(signed(CLAIMS | other))


def public_pem(key: RSAKey | ECKey) -> bytes:
    return key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


PAYLOAD = json.dumps(CLAIMS).encode()
GOOD = signed(CLAIMS)
HEAD, BODY, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    ("key", "token"),
    [
        (OCT, f"{b64({'alg': 'none'})}.{b64(PAYLOAD)}."),
        (OCT, f"{b64({'alg': 'None'})}.{b64(PAYLOAD)}."),
        (OCT, f"{b64({'alg': 'none'})}.{b64(PAYLOAD)}.{SIGNATURE}"),
        (RSA, f"{b64({'alg': 'none'})}.{b64(PAYLOAD)}."),
        (RSA, raw({"alg": "HS256"}, PAYLOAD, public_pem(RSA))),
        (EC, raw({"alg": "HS256"}, PAYLOAD, public_pem(EC))),
        (OCT, raw({"alg": "HS512"}, PAYLOAD)),
        (OCT, raw({"alg": "HS256"}, PAYLOAD, b"another secret of thirty-two bytes")),
        (OCT, raw({"alg": "HS256"}, PAYLOAD, b"")),
        (OCT, raw({}, PAYLOAD)),
        (OCT, raw({"alg": ["HS256"]}, PAYLOAD)),
        (OCT, raw({"alg": "HS256", "kid": 7}, PAYLOAD)),
        (OCT, raw({"alg": "HS256", "crit": ["beholden"], "beholden": 1}, PAYLOAD)),
        (OCT, raw({"alg": "HS256", "b64": False, "crit": ["b64"]}, PAYLOAD)),
        (OCT, raw(b'["alg"]', PAYLOAD)),
        (OCT, raw(b"[" * 300, PAYLOAD)),
        (OCT, raw({"alg": "HS256"}, b"[1]")),
        (OCT, raw({"alg": "HS256"}, b"no json")),
        (OCT, raw({"alg": "HS256"}, b"[" * 4000)),
        (OCT, raw({"alg": "HS256"}, b"\xff\xfe")),
        (RSA, mint(RSAKey.generate_key(2048), principal="ada", tenant="t", now=NOW)),
        (EC, mint(ECKey.generate_key("P-256"), principal="ada", tenant="t", now=NOW)),
        (
            OCT,
            f"{HEAD}.{b64(json.dumps(CLAIMS | {'tenant': 'metro-police'}).encode())}.{SIGNATURE}",
        ),
        (OCT, f"{HEAD}.{BODY}."),
        (OCT, f"{HEAD}.{BODY}"),
        (OCT, f"{GOOD}.{SIGNATURE}"),
        (OCT, f"{HEAD}..{SIGNATURE}"),
        (OCT, ""),
        (OCT, "..."),
        (OCT, "ключ"),
        (OCT, "a" * 9000),
        (OCT, signed(CLAIMS | {"x": "y" * 9000})),
    ],
)
async def test_forgeries(key: Key, token: str):
    with pytest.raises(Unauthenticated) as refused:
        await verifier(key).verify(token)
    assert refused.value.reason == "TOKEN_INVALID"


async def test_a_key_in_the_header_is_not_believed():
    own = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": own.as_dict(private=False)}
    with pytest.raises(Unauthenticated):
        await verifier(RSA).verify(jwt.encode(header, CLAIMS, own))


async def test_no_changed_token_is_believed():
    draw, checker = random.Random(4), verifier()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    for _ in range(2000):
        place = draw.randrange(len(HEAD) + len(BODY) + 2)
        forged = GOOD[:place] + draw.choice(alphabet) + GOOD[place + draw.randrange(3) :]
        if forged != GOOD:
            with pytest.raises(Unauthenticated):
                await checker.verify(forged)


async def test_a_remembered_token_expires_all_the_same():
    now = [NOW]
    checker = verifier(now=now)
    await checker.verify(GOOD)
    await checker.verify(GOOD)
    now[0] = CLAIMS["exp"]
    with pytest.raises(Unauthenticated, match="expired"):
        await checker.verify(GOOD)


async def test_a_remembered_token_is_not_believed_once_its_key_is_gone():
    class Rotating:
        key: Key = OCT

        async def find(self, kid: str | None) -> Key:
            return self.key

    keys = Rotating()
    checker = Verifier(keys, audience="beholden", clock=lambda: NOW)
    await checker.verify(GOOD)
    keys.key = OctKey.import_key(b"another secret of thirty-two bytes")
    with pytest.raises(Unauthenticated):
        await checker.verify(GOOD)


async def test_remembers_a_bounded_number_of_tokens():
    checker = verifier()
    for number in range(1100):
        await checker.verify(signed(CLAIMS | {"jti": str(number)}))
    assert len(checker._known) <= 1024


async def test_the_key_is_chosen_by_its_id():
    named = key_set(
        {"keys": [one.as_dict(private=True) | {"kid": kid} for kid, one in (("a", RSA), ("b", EC))]}
    )
    checker = Verifier(StaticKeys(named), audience="beholden", clock=lambda: NOW)
    for key in named.values():
        token = mint(key, principal="ada", tenant="t", now=NOW)
        assert (await checker.verify(token)).id == "ada"
    for header in ({}, {"kid": "c"}, {"kid": "a", "alg": "ES256"}):
        with pytest.raises(Unauthenticated):
            await checker.verify(signed(CLAIMS, header, EC))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "TOKEN_MISSING"),
        ({"authorization": ("Bearer a", "Bearer a")}, "TOKEN_INVALID"),
        ({"authorization": ("Basic a",)}, "TOKEN_INVALID"),
        ({"authorization": ("Bearer",)}, "TOKEN_INVALID"),
        ({"authorization": ("",)}, "TOKEN_INVALID"),
        ({"authorization": (b"Bearer a",)}, "TOKEN_INVALID"),
    ],
)
def test_no_bearer(metadata: dict[str, tuple[str, ...]], reason: str):
    with pytest.raises(Unauthenticated) as refused:
        bearer(metadata)
    assert refused.value.reason == reason


def test_bearer():
    assert bearer({"authorization": ("Bearer a.b.c",)}) == "a.b.c"
    assert bearer({"authorization": ("bearer  a.b.c ",)}) == "a.b.c"
