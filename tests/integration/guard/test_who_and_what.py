"""Tokens, tenants, declarations and requests as they come over the wire."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from joserfc.jwk import OctKey

from beholden.guard.tokens import mint
from beholden.v1 import detection_pb2, embedding_pb2, search_pb2
from tests.integration.guard.house import KEY, House, detail, house, named, reason, valid

Code = grpc.StatusCode
OTHER = OctKey.import_key(b"another secret of thirty-two bytes, and more")


def unsigned(**claims: Any) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    whole = {"sub": "eve", "tenant": "daily-herald", "aud": "beholden", "exp": time.time() + 60}
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(whole | claims)}."


@pytest.mark.parametrize(
    "token",
    [
        "rubbish",
        unsigned(),
        mint(KEY, principal="ada", tenant="daily-herald", now=time.time() - 7200),
        mint(KEY, principal="ada", tenant="daily-herald", audience="elsewhere"),
        mint(OTHER, principal="ada", tenant="daily-herald"),
    ],
    ids=["rubbish", "alg none", "expired", "audience", "forged"],
)
async def test_a_wrong_token(home: House, token: str):
    error = await home.refused("DetectFaces", token=token)
    assert (error.code(), reason(error)) == (Code.UNAUTHENTICATED, "TOKEN_INVALID")
    assert token not in (error.details() or "")
    assert not home.law.asked


async def test_a_tenant_that_is_not_registered(home: House):
    error = await home.refused("DetectFaces", token=home.token(tenant="acme"))
    assert (error.code(), reason(error)) == (Code.UNAUTHENTICATED, "TENANT_UNKNOWN")


async def test_the_tenant_is_what_the_registry_says(home: House):
    await home.call("DetectFaces", token=home.token(tenant="metro-police"))
    assert home.law.asked[0]["tenant"] == {
        "id": "metro-police",
        "kind": "police_department",
        "jurisdiction": "US-WA",
    }


async def test_two_tokens_are_none(home: House):
    error = await home.refused(
        "DetectFaces", metadata=[("authorization", f"Bearer {home.token(tenant='metro-police')}")]
    )
    assert (error.code(), reason(error)) == (Code.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_the_law_sees_the_whole_call(home: House):
    begun = time.time_ns()
    request = search_pb2.SearchFacesByImageRequest(
        parent="collections/news", image={"content": b"picture"}, min_similarity=0.9
    )
    await home.call(
        "SearchFacesByImage",
        request,
        metadata=[
            ("beholden-purpose", "victim_search"),
            ("beholden-jurisdiction", "US-CA"),
            ("beholden-on-behalf-of", "metro-police"),
            ("beholden-case", "4711"),
            ("beholden-public-space", "no"),
        ],
    )
    [facts] = home.law.asked
    at = facts["time"]
    assert begun // 10**9 * 10**9 <= at["ns"] <= time.time_ns(), "in whole seconds"
    assert at["now"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at["ns"] // 10**9))
    assert {key: value for key, value in facts.items() if key != "time"} == {
        "principal": {"id": "ada", "roles": ["editor"]},
        "tenant": {"id": "daily-herald", "kind": "newsroom", "jurisdiction": "US-NY"},
        "client": {"id": "metro-police", "kind": "police_department", "jurisdiction": "US-WA"},
        "action": "face.search_by_image",
        "purpose": "victim_search",
        "jurisdiction": "US-CA",
        "on_behalf_of": "metro-police",
        "case": "4711",
        "realtime": "",
        "public_space": "no",
        "evidence": {},
        "request": {"collection": "collections/news", "min_similarity": 0.9},
    }
    record = home.book.records[0]
    assert record.body["facts"] == facts
    assert list(record.body["media"]) == [hashlib.sha256(b"picture").hexdigest()]
    assert "picture" not in json.dumps(record.body, default=list)


async def test_what_is_declared_wrongly_is_refused_by_its_key(home: House):
    for metadata in (
        [("beholden-purpose", "Victim Search")],
        [("beholden-purpose", "a"), ("beholden-purpose", "b")],
        [("beholden-purpos", "news")],
        [("beholden-authorisation", "eyJ")],
        [("beholden-consent", "eyJ")],
    ):
        error = await home.refused("DetectFaces", metadata=metadata)
        bad = detail(error, error_details_pb2.BadRequest)
        assert error.code() is Code.INVALID_ARGUMENT
        assert [one.field for one in bad.field_violations] == [metadata[0][0]]
    assert not home.law.asked


async def test_every_wrong_field_is_named(home: House):
    error = await home.refused(
        "CompareFaces",
        embedding_pb2.CompareFacesRequest(source={"content": b"x"}, min_similarity=math.nan),
    )
    bad = detail(error, error_details_pb2.BadRequest)
    assert (error.code(), reason(error)) == (Code.INVALID_ARGUMENT, "INVALID_FIELD")
    assert [(one.field, one.description) for one in bad.field_violations] == [
        ("target", "is required"),
        ("min_similarity", "must be a finite number"),
    ]
    assert not home.law.asked


async def test_bytes_that_are_no_request(home: House):
    error = await home.refused("DetectFaces", b"\xff\xff\xff")
    assert error.code() is Code.INVALID_ARGUMENT
    assert error.details() == "request: is no beholden.v1.DetectFacesRequest"


async def test_text_that_is_no_utf8(home: House):
    error = await home.refused("CreateCollection", b"\x0a\x02\xc3\x28")
    assert error.code() is Code.INVALID_ARGUMENT


async def test_nothing_is_parsed_or_measured_for_somebody_unknown(home: House):
    for request in (b"\xff\xff\xff", bytes(20 * 1024 * 1024)):
        error = await home.refused("DetectFaces", request, token="rubbish")
        assert error.code() is Code.UNAUTHENTICATED


async def test_a_call_without_a_request(home: House):
    async def nothing() -> Any:
        for one in ():
            yield one

    ask = home.channel.stream_unary("/beholden.v1.DetectionService/DetectFaces")
    call = ask(nothing(), metadata=(("authorization", f"Bearer {home.token()}"),))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    assert refused.value.code() is Code.INVALID_ARGUMENT
    assert not home.law.asked


@pytest.mark.parametrize(
    ("size", "code", "says"),
    [
        (5 * 1024 * 1024, None, ""),
        (5 * 1024 * 1024 + 1, Code.INVALID_ARGUMENT, "image.content: has 5242881 bytes"),
        (17 * 1024 * 1024, Code.RESOURCE_EXHAUSTED, "at most 16777216"),
        (33 * 1024 * 1024, Code.RESOURCE_EXHAUSTED, "larger than max"),
    ],
)
async def test_large_pictures(home: House, size: int, code: Any, says: str):
    request = detection_pb2.DetectFacesRequest(image={"content": bytes(size)})
    if code is None:
        await home.call("DetectFaces", request)
        return
    error = await home.refused("DetectFaces", request)
    assert error.code() is code
    assert says in error.details()
    assert not home.law.asked


async def test_a_request_without_a_picture_has_no_business_being_large(home: House):
    request = valid(named("CreateCollection"))
    request.display_name = "x" * 1_100_000
    error = await home.refused("CreateCollection", request)
    assert (error.code(), reason(error)) == (Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED")
    assert detail(error, error_details_pb2.RetryInfo) is None


async def test_the_server_goes_on_after_all_that(tmp_path: Path):
    async with house(tmp_path) as home:
        for request in (b"\xff", bytes(33 * 1024 * 1024), b""):
            await home.refused("DetectFaces", request)
        await home.call("DetectFaces")
