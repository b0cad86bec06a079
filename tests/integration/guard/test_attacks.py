"""What people try who should not, over the wire: none of it reaches the law as what it pretends to be."""

from __future__ import annotations

import time
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from beholden.v1 import governance_pb2
from tests.integration.guard.house import METHODS, House, detail, reason
from tests.unit.guard.test_declarations import LOOKALIKES

Code = grpc.StatusCode


@pytest.mark.parametrize(
    "purpose", [one for one in LOOKALIKES if one.isascii() and one.isprintable()]
)
async def test_a_purpose_that_only_looks_like_one(home: House, purpose: str) -> None:
    error = await home.refused("DetectFaces", metadata=[("beholden-purpose", purpose)])
    assert error.code() is Code.INVALID_ARGUMENT
    bad = detail(error, error_details_pb2.BadRequest)
    assert [one.field for one in bad.field_violations] == ["beholden-purpose"]
    assert not home.law.asked


@pytest.mark.parametrize(
    "key",
    ["beholden-tenant", "beholden-kind", "beholden-tenant-kind", "beholden-role", "beholden-roles"],
)
async def test_nobody_says_of_oneself_what_one_is(home: House, key: str) -> None:
    error = await home.refused("DetectFaces", metadata=[(key, "victim_search")])
    assert error.code() is Code.INVALID_ARGUMENT
    assert "is no declaration" in str(error.details())
    assert not home.law.asked


async def test_the_kind_is_the_registrys_whatever_else_is_claimed(home: House) -> None:
    police = home.token(tenant="metro-police", roles=["victim_search", "newsroom"])
    await home.call(
        "DetectFaces",
        token=police,
        metadata=[("beholden-on-behalf-of", "daily-herald"), ("tenant", "daily-herald")],
    )
    [facts] = home.law.asked
    tenant: Any = facts["tenant"]
    assert (tenant["id"], tenant["kind"]) == ("metro-police", "police_department")
    assert facts["principal"] == {"id": "ada", "roles": ["victim_search", "newsroom"]}


async def test_a_tenant_that_nobody_registered(home: House) -> None:
    error = await home.refused("DetectFaces", token=home.token(tenant="find-the-lost"))
    assert error.code() is Code.UNAUTHENTICATED
    assert not home.law.asked


async def test_facts_that_are_huge_or_deep_stop_before_the_law(home: House) -> None:
    for request in (_nested(200), _wide(20_000), _wide(400, "x" * 9000)):
        error = await home.refused("ExplainAccess", request)
        assert error.code() in {Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED}
        assert not home.reached


def _nested(depth: int) -> bytes:
    """An explanation's facts, nested further than the parser goes."""
    inner = b""
    for _ in range(depth):
        field = b"\x0a\x01a\x12" + _length(b"\x2a" + _length(inner))
        inner = b"\x0a" + _length(field)
    asked = governance_pb2.ExplainAccessRequest(action="face.search").SerializeToString()
    number = governance_pb2.ExplainAccessRequest.DESCRIPTOR.fields_by_name["request"].number
    return asked + bytes([number << 3 | 2]) + _length(inner)


def _wide(values: int, text: str = "x") -> governance_pb2.ExplainAccessRequest:
    asked = governance_pb2.ExplainAccessRequest(action="face.search")
    asked.request.update({f"fact_{number}": text for number in range(values)})
    return asked


def _length(content: bytes) -> bytes:
    size, prefix = len(content), b""
    while size > 127:
        prefix += bytes([size & 127 | 128])
        size >>= 7
    return prefix + bytes([size]) + content


async def test_a_services_own_port_is_guarded_as_the_front_door_is(home: House) -> None:
    """Whoever reaches a service past whatever stands before it meets the same guard, for every method."""
    for method in METHODS:
        # One message, sent with the call's opening: a stream's later one may find the call refused already.
        ask = home.channel.unary_stream(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda one: one,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        for token in ((), (("authorization", "Bearer x"),), (("x-forwarded-user", "root"),)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                async for _ in ask(b"", metadata=token, timeout=20):
                    pass
            assert refused.value.code() is Code.UNAUTHENTICATED, method.name
    assert not home.reached
    assert not home.law.asked


async def test_a_method_that_is_not_served_here(home: House) -> None:
    for path in ("/beholden.v1.SearchService/Bypass", "/internal.Admin/Reload", "/"):
        ask = home.channel.unary_unary(path)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(b"", timeout=20)
        assert refused.value.code() is Code.UNIMPLEMENTED


async def test_a_clock_that_is_off_by_more_than_agreed(home: House) -> None:
    """The house allows for no skew: see the verifiers' own tests for where it does."""
    for begin in (-7200, 3600):
        now = time.time() + begin
        error = await home.refused("DetectFaces", token=home.token(now=now, lifetime=600))
        assert error.code() is Code.UNAUTHENTICATED, begin
        assert reason(error)
