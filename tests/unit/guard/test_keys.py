"""Key files, and keys that an issuer publishes."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import ValidationError

from beholden.core.errors import FailedPrecondition, Unauthenticated, Unavailable
from beholden.guard.identity import open_keys
from beholden.guard.keys import create_key_file, key_set, read_keys
from beholden.guard.published_keys import PublishedKeys, fetch_from
from beholden.guard.settings import IdentitySettings

RSA, EC = RSAKey.generate_key(2048), ECKey.generate_key("P-256")
SECRET = b"0123456789abcdef0123456789abcdef"


WEAK_RSA = rsa.generate_private_key(65537, 1024)


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    return key.as_dict(private=False) | more


GOOD_FILES = {
    "secret": (SECRET, "oct"),
    "secret with the line end of an editor": (SECRET + b"\r\n", "oct"),
    "RSA public": (RSA.as_pem(private=False), "RSA"),
    "RSA private": (RSA.as_pem(private=True), "RSA"),
    "EC public": (b"\n" + EC.as_pem(private=False), "EC"),
    "JWK": (json.dumps(jwk(EC)).encode(), "EC"),
    "JWKS": (json.dumps({"keys": [jwk(RSA, kid="a", use="sig", alg="RS256")]}).encode(), "RSA"),
}


@pytest.mark.parametrize("content", GOOD_FILES.values(), ids=GOOD_FILES)
async def test_reads(tmp_path: Path, content: tuple[bytes, str]):
    path = tmp_path / "key"
    path.write_bytes(content[0])
    assert (await read_keys(path).find(None)).key_type == content[1]


async def test_a_text_secret_is_the_same_with_and_without_its_line_end(tmp_path: Path):
    path = tmp_path / "key"
    path.write_bytes(SECRET + b"\n")
    key = await read_keys(path).find("any")
    assert isinstance(key, OctKey)
    assert key.raw_value == SECRET


async def test_a_binary_secret_is_taken_as_it_is(tmp_path: Path):
    path, secret = tmp_path / "key", b"\xff" * 32 + b"\n"
    path.write_bytes(secret)
    key = await read_keys(path).find(None)
    assert isinstance(key, OctKey)
    assert key.raw_value == secret


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b" " * 64,
        b"{",
        b"{}",
        b'{"keys": []}',
        b'{"keys": 7}',
        b'{"keys": ["x"]}',
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        WEAK_RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        ECKey.generate_key("P-384").as_pem(private=False),
        json.dumps(
            {"kty": "RSA", "e": "AQAB", "n": base64.b64encode(b"a" * 128).decode()}
        ).encode(),
        json.dumps(jwk(EC, use="enc")).encode(),
        json.dumps(jwk(RSA, alg="RS512")).encode(),
        json.dumps(jwk(RSA, alg="HS256")).encode(),
        json.dumps({"kty": "oct", "k": "c2hvcnQ"}).encode(),
        json.dumps({"kty": "RSA", "n": 7, "e": "AQAB"}).encode(),
        json.dumps({"kty": "EC", "crv": "P-256"}).encode(),
        json.dumps({"kty": ["RSA"]}).encode(),
    ],
)
def test_weak_and_broken_keys_do_not_start(tmp_path: Path, content: bytes):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(FailedPrecondition, match=str(path)):
        read_keys(path)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        read_keys(tmp_path / "none")
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        read_keys(tmp_path)


def test_creates_a_key_that_only_its_owner_reads_and_never_replaces_one(tmp_path: Path):
    path = tmp_path / "deep" / "key"
    create_key_file(path)
    content = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keys(path).signing().key_type == "oct"
    with pytest.raises(FileExistsError):
        create_key_file(path)
    assert path.read_bytes() == content


def test_only_a_secret_or_private_key_signs(tmp_path: Path):
    path = tmp_path / "key"
    path.write_bytes(RSA.as_pem(private=True))
    assert read_keys(path).signing().key_type == "RSA"
    path.write_bytes(RSA.as_pem(private=False))
    with pytest.raises(FailedPrecondition, match="minted"):
        read_keys(path).signing()


def test_a_set_leaves_out_what_is_not_for_this():
    keys = key_set(
        {
            "keys": [
                {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x", "kid": "pq"},
                jwk(RSA, kid="a", use="enc"),
                jwk(RSA, kid="b"),
                jwk(EC, kid="b"),
                OctKey.import_key(SECRET).as_dict() | {"kid": "s"},
            ]
        },
        secrets_too=False,
    )
    assert {kid: key.key_type for kid, key in keys.items()} == {"b": "RSA"}


class Issuer:
    """An issuer whose keys, failures and clock a test sets."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {"a": RSA}
        self.fetches = 0
        self.broken = False
        self.now = 1000.0

    def fetch(self) -> bytes:
        self.fetches += 1
        if self.broken:
            raise OSError("connection refused")
        return json.dumps({"keys": [jwk(key, kid=kid) for kid, key in self.keys.items()]}).encode()

    def published(self) -> PublishedKeys:
        return PublishedKeys(
            self.fetch, refresh=300, interval=10, stale=3600, clock=lambda: self.now
        )


async def test_published_keys_are_fetched_once_and_kept():
    issuer = Issuer()
    keys = issuer.published()
    first = await asyncio.gather(*(keys.find("a") for _ in range(20)))
    assert {id(key) for key in first} == {id(await keys.find("a"))}
    assert issuer.fetches == 1


async def test_an_unknown_key_is_looked_for_but_not_too_often():
    issuer = Issuer()
    keys = issuer.published()
    await keys.find("a")
    issuer.keys["b"] = EC
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await keys.find("b")
    assert issuer.fetches == 1
    issuer.now += 10
    assert (await keys.find("b")).key_type == "EC"
    assert issuer.fetches == 2
    issuer.now += 10
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await keys.find("forged")
    assert issuer.fetches == 3


async def test_a_secret_that_is_published_is_none():
    secret = OctKey.import_key(SECRET).as_dict() | {"kid": "s"}
    keys = PublishedKeys(
        lambda: json.dumps({"keys": [secret, jwk(RSA, kid="a")]}).encode(),
        refresh=300,
        interval=10,
        stale=3600,
    )
    await keys.find("a")
    with pytest.raises(Unauthenticated):
        await keys.find("s")


async def test_a_withdrawn_key_is_forgotten_at_the_next_refresh():
    issuer = Issuer()
    keys = issuer.published()
    await keys.find("a")
    issuer.keys = {"b": EC}
    issuer.now += 301
    await keys.find("a")
    while keys._fetching is not None:
        await asyncio.sleep(0.001)
    with pytest.raises(Unauthenticated):
        await keys.find("a")


async def test_keys_are_believed_for_a_while_when_the_issuer_is_gone():
    issuer = Issuer()
    keys = issuer.published()
    await keys.find("a")
    issuer.broken = True
    issuer.now += 3600
    await keys.find("a")
    issuer.now += 1
    with pytest.raises(Unavailable):
        await keys.find("a")
    issuer.broken = False
    issuer.now += 11
    await keys.find("a")


async def test_an_issuer_that_was_never_there():
    issuer = Issuer()
    issuer.broken = True
    keys = issuer.published()
    for _ in range(5):
        with pytest.raises(Unavailable):
            await keys.find("a")
    assert issuer.fetches == 1


@pytest.mark.parametrize("answer", [b"", b"{}", b"[", b"[]", b'{"keys": 3}', b"[" * 100_000])
async def test_an_issuer_that_talks_nonsense(answer: bytes):
    keys = PublishedKeys(lambda: answer, refresh=300, interval=10, stale=3600)
    with pytest.raises(Unavailable):
        await keys.find("a")


@pytest.fixture
def web() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("location", "/jwks")
                self.end_headers()
                return
            content = json.dumps({"keys": [jwk(RSA, kid="a")]}).encode()
            if self.path == "/large":
                content = b" " * (1024 * 1024) + content
            self.send_response(200 if self.path != "/gone" else 404)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_fetches_over_http(web: str):
    keys = open_keys(IdentitySettings(jwks_url=f"{web}/jwks"))
    assert (await keys.find("a")).key_type == "RSA"


@pytest.mark.parametrize("path", ["/moved", "/large", "/gone"])
async def test_what_is_not_the_key_set_itself_is_not_taken(web: str, path: str):
    with pytest.raises(Unavailable):
        await open_keys(IdentitySettings(jwks_url=web + path)).find("a")
    with pytest.raises((OSError, ValueError)):
        fetch_from(web + path)()


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("", True),
        ("https://id.example/jwks", True),
        ("http://127.0.0.1:8080/jwks", True),
        ("http://localhost/jwks", True),
        ("http://[::1]/jwks", True),
        ("http://id.example/jwks", False),
        ("http://127.0.0.1.evil.example/jwks", False),
        ("file:///etc/passwd", False),
        ("ftp://127.0.0.1/jwks", False),
        ("https:///jwks", False),
    ],
)
def test_keys_come_over_https_or_from_this_machine(url: str, good: bool):
    if good:
        assert IdentitySettings(jwks_url=url).jwks_url == url
    else:
        with pytest.raises(ValidationError, match="https"):
            IdentitySettings(jwks_url=url)
