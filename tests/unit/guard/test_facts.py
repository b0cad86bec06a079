"""What the law is told of a call, and how numbers keep the value that people wrote."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from beholden.core.errors import InvalidArgument
from beholden.guard.authorities import Authorities
from beholden.guard.call import Principal
from beholden.guard.facts import (
    Gathering,
    compile_facts,
    digests,
    principal_facts,
    request_facts,
    shortest,
    time_facts,
)
from beholden.guard.fields import AnnotationError
from beholden.guard.methods import read_methods
from beholden.guard.tally import Tally
from beholden.v1 import embedding_pb2, search_pb2, video_pb2
from tests.unit.guard.protos import compiled

Index = search_pb2.IndexFacesRequest
Search = search_pb2.SearchFacesByImageRequest
Compare = embedding_pb2.CompareFacesRequest


def facts(request: Any) -> dict[str, Any]:
    return request_facts(compile_facts(request.DESCRIPTOR), request)


@pytest.mark.parametrize(
    ("request_", "known"),
    [
        (Search(), {}),
        (
            Search(parent="collections/c", min_similarity=0.9, max_results=5),
            {"collection": "collections/c", "min_similarity": 0.9, "max_results": 5},
        ),
        (Search(min_similarity=0), {"min_similarity": 0}),
        (
            search_pb2.CreateCollectionRequest(collection_id="c"),
            {"collection": "collections/c"},
        ),
        (
            search_pb2.SearchFacesRequest(name="collections/c/faces/f"),
            {"collection": "collections/c", "face": "collections/c/faces/f"},
        ),
        (Search(max_results=0), {}),
        (Search(image={"content": b"secret"}), {}),
        (Index(external_image_id="Jo"), {}),
        (Index(provenance={}), {"provenance": {}}),
        (
            Index(provenance={"consent_id": "c1", "capture_time": {"seconds": 0}}),
            {"provenance": {"consent_id": "c1", "capture_time": "1970-01-01T00:00:00Z"}},
        ),
    ],
)
def test_request_facts(request_: Any, known: dict[str, Any]):
    found = facts(request_)
    assert found == known
    json.dumps(found, allow_nan=False)


def test_every_kind_of_fact(tmp_path: Path):
    trial = compiled(
        tmp_path,
        """
        enum E { E_UNSPECIFIED = 0; E_A = 1; }
        message Inner { E kind = 1 [(field_policy).fact = "kind"]; }
        message Q {
          Inner inner = 1;
          repeated string tags = 2 [(field_policy).fact = "tags"];
          repeated float shares = 3 [(field_policy).fact = "shares"];
          int64 big = 4 [(field_policy).fact = "big"];
          bool live = 5 [(field_policy).fact = "live"];
          double exact = 6 [(field_policy).fact = "exact"];
          google.protobuf.Struct free = 7 [(field_policy).fact = "free"];
          google.protobuf.Timestamp at = 8 [(field_policy).fact = "at"];
        }
        """,
    ).message_types_by_name["Q"]
    request = GetMessageClass(trial)(
        inner={"kind": 1},
        tags=["a", ""],
        shares=[0.1, 0.7],
        big=2**60,
        live=True,
        exact=0.1,
        at={"seconds": 1},
    )
    request.free["deep"] = {"n": 1.5}
    assert facts(request) == {
        "kind": "E_A",
        "tags": ["a", ""],
        "shares": [0.1, 0.7],
        "big": 2**60,
        "live": True,
        "exact": 0.1,
        "free": {"deep": {"n": 1.5}},
        "at": "1970-01-01T00:00:01Z",
    }


def test_the_shortest_decimal_is_the_same_float_and_what_people_wrote():
    draw = random.Random(2)
    for hundredths in range(101):
        written = hundredths / 100
        assert shortest(struct.unpack("f", struct.pack("f", written))[0]) == written
    for _ in range(5000):
        single = struct.unpack("f", struct.pack("I", draw.getrandbits(32)))[0]
        if abs(single) < float("inf"):
            assert struct.pack("f", shortest(single)) == struct.pack("f", single)


@pytest.mark.parametrize("size", [0, 1, 300_000])
async def test_pictures_are_known_by_their_digests_in_field_order(size: int):
    source, target = b"s" * size, b"t" * size
    request = Compare(source={"content": source}, target={"content": target})
    assert await digests(compile_facts(request.DESCRIPTOR), request) == tuple(
        hashlib.sha256(one).hexdigest() for one in (source, target)
    )


async def test_a_picture_that_was_not_sent_has_no_digest():
    assert await digests(compile_facts(Compare.DESCRIPTOR), Compare(source={})) == ()


def test_time_is_an_instant_and_an_integer_in_whole_seconds():
    assert time_facts(1795310350275321168) == {
        "now": "2026-11-22T01:19:10Z",
        "ns": 1795310350000000000,
    }


def test_principal():
    assert principal_facts(Principal("ada", "t", ("a", "b"))) == {"id": "ada", "roles": ["a", "b"]}


async def gathered(method: Any, request: Any, *said: tuple[str, str]) -> Any:
    """A call of which all facts are known."""
    call: Any = SimpleNamespace(
        method=method,
        metadata={key: (value,) for key, value in said},
        principal=Principal("ada", "t"),
        tenant={},
        request=request,
        tally=Tally(),
        rest=(),
    )

    async def proceed(_: Any) -> Any:
        return None

    await Gathering({}, lambda: 1, Authorities, audience="", leeway=0)(call, proceed)
    return call


@pytest.mark.parametrize(
    ("live", "said", "fact"), [(True, "no", "yes"), (False, "no", "no"), (False, "", "")]
)
async def test_a_live_method_is_live_whatever_is_declared(live: bool, said: str, fact: str):
    methods = read_methods(search_pb2.DESCRIPTOR.services_by_name.values())
    method = replace(methods["/beholden.v1.SearchService/SearchFaces"], realtime=live)
    call = await gathered(method, search_pb2.SearchFacesRequest(), ("beholden-realtime", said))
    assert call.facts["realtime"] == fact


async def test_a_request_declares_what_metadata_would():
    methods = read_methods(video_pb2.DESCRIPTOR.services_by_name.values())
    method = methods["/beholden.v1.VideoService/AnalyzeStream"]

    def start(**said: bool) -> Any:
        return video_pb2.AnalyzeStreamRequest(
            start=video_pb2.StreamStart(features=["VIDEO_FEATURE_FACES"], **said)
        )

    for request, metadata, fact in (
        (start(public_space=True), "", "yes"),
        (start(public_space=True), "yes", "yes"),
        (start(public_space=False), "", "no"),
        (start(), "yes", "yes"),
        (start(), "", ""),
    ):
        call = await gathered(method, request, ("beholden-public-space", metadata))
        assert call.facts["public_space"] == fact
        assert call.facts["realtime"] == "yes"
        assert call.facts["request"] == {"features": ["VIDEO_FEATURE_FACES"]}
    with pytest.raises(InvalidArgument, match=r"start\.public_space: must agree"):
        await gathered(method, start(public_space=False), ("beholden-public-space", "yes"))


@pytest.mark.parametrize("field", ["bool x", "optional string x", "repeated bool x"])
def test_only_a_yes_or_no_declares(tmp_path: Path, field: str):
    source = f'message Q {{ {field} = 1 [(field_policy).declares = "public_space"]; }}'
    with pytest.raises(AnnotationError, match="optional bool"):
        compile_facts(compiled(tmp_path, source).message_types_by_name["Q"])


def test_only_what_is_yes_or_no_is_declared_so(tmp_path: Path):
    source = 'message Q { optional bool x = 1 [(field_policy).declares = "purpose"]; }'
    with pytest.raises(AnnotationError, match="yes or no"):
        compile_facts(compiled(tmp_path, source).message_types_by_name["Q"])
