"""Limits from the protos: what is refused, by which name, with which words."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from beholden.core.errors import InvalidArgument
from beholden.guard.errors import InvalidFields
from beholden.guard.validation import check, compile_limits
from beholden.v1 import detection_pb2, embedding_pb2, governance_pb2, search_pb2
from tests.unit.guard.protos import compiled

NAN, INF = math.nan, math.inf
FACE = "collections/c/faces/00000000-0000-7000-8000-000000000000"
PICTURE = {"content": b"x"}


def problems(request: Any) -> dict[str, str]:
    try:
        check(compile_limits(request.DESCRIPTOR), request, request.ByteSize())
    except InvalidFields as error:
        return dict(error.problems)
    return {}


Detect = detection_pb2.DetectFacesRequest
Compare = embedding_pb2.CompareFacesRequest
Create = search_pb2.CreateCollectionRequest
Index = search_pb2.IndexFacesRequest
Delete = search_pb2.DeleteFacesRequest
Explain = governance_pb2.ExplainAccessRequest


@pytest.mark.parametrize(
    ("request_", "wrong"),
    [
        (Detect(image=PICTURE), {}),
        (Detect(image=PICTURE, min_confidence=0), {}),
        (Detect(image=PICTURE, min_confidence=1, max_faces=1000), {}),
        (Detect(), {"image": "is required"}),
        (Detect(image={}), {"image": "must set content"}),
        (Detect(image=PICTURE, min_confidence=NAN), {"min_confidence": "must be a finite number"}),
        (Detect(image=PICTURE, min_confidence=-INF), {"min_confidence": "must be a finite number"}),
        (Detect(image=PICTURE, min_confidence=1.1), {"min_confidence": "must be from 0 to 1"}),
        (Detect(image=PICTURE, max_faces=1001), {"max_faces": "must be from 0 to 1000"}),
        (Detect(image=PICTURE, max_faces=-1), {"max_faces": "must be from 0 to 1000"}),
        (
            Compare(min_similarity=NAN),
            {
                "source": "is required",
                "target": "is required",
                "min_similarity": "must be a finite number",
            },
        ),
        (Create(), {"collection_id": "is required"}),
        (
            Create(collection_id="a/b"),
            {"collection_id": "must be letters, digits, '_', '-' and '.'"},
        ),
        (
            Create(collection_id="a\n"),
            {"collection_id": "must be letters, digits, '_', '-' and '.'"},
        ),
        (
            Create(collection_id="a" * 256),
            {"collection_id": "has 256 characters, at most 255 are taken"},
        ),
        (Create(collection_id="ok", display_name="Füße und 顔\t"), {}),
        (
            Create(collection_id="ok", display_name="a\0b"),
            {"display_name": "must not have control characters"},
        ),
        (Delete(parent="collections/c", names=[FACE] * 1000), {}),
        (Delete(parent="collections/c"), {"names": "must hold one at least"}),
        (
            Delete(parent="collections/c", names=[FACE] * 1001),
            {"names": "holds 1001, at most 1000 are taken"},
        ),
        (
            Delete(parent="collections/c", names=[FACE, ""]),
            {"names[1]": "must be collections/{collection}/faces/{face}"},
        ),
        (Index(parent="collections/c", image=PICTURE, request_id=""), {}),
        (
            Index(parent="collections/c", image=PICTURE, request_id="1"),
            {"request_id": "must be a UUID"},
        ),
        (
            Index(parent="collections/c", image=PICTURE, quality_filter=9),
            {
                "quality_filter": "must be one of QUALITY_FILTER_UNSPECIFIED, "
                "QUALITY_FILTER_NONE, QUALITY_FILTER_AUTO"
            },
        ),
        (
            Index(parent="collections/c", image=PICTURE, provenance={"source": "x" * 1025}),
            {"provenance.source": "has 1025 characters, at most 1024 are taken"},
        ),
        (
            Index(
                parent="collections/c",
                image=PICTURE,
                provenance={"capture_time": {"seconds": 10**15}},
            ),
            {"provenance.capture_time": "must be a time in the years 1 to 9999"},
        ),
        (
            Explain(action="face.search", request={"min_similarity": 0.9, "tags": ["a", None]}),
            {},
        ),
        (
            Explain(action="face.search", request={"a": {"b": [1.0, NAN]}}),
            {
                "request.fields[a].struct_value.fields[b].list_value.values[1].number_value": (
                    "must be a finite number"
                )
            },
        ),
        (
            Explain(action="face.search", request={"a\0": 1}),
            {"request.fields": "must not have control characters"},
        ),
    ],
)
def test_limits(request_: Any, wrong: dict[str, str]):
    assert problems(request_) == wrong


def test_a_picture_may_be_as_large_as_its_limit_and_no_larger():
    most = 5 * 1024 * 1024
    assert problems(Detect(image={"content": bytes(most)})) == {}
    assert problems(Detect(image={"content": bytes(most + 1)})) == {
        "image.content": f"has {most + 1} bytes, at most {most} are taken"
    }


def test_bytes_are_left_alone_where_the_request_is_shorter_than_they_may_be():
    class Untouched:
        def HasField(self, name: str) -> bool:  # noqa: N802
            raise AssertionError(f"{name} was looked at")

    plan = compile_limits(Detect.DESCRIPTOR.fields_by_name["image"].message_type)
    check(plan, Untouched(), 5 * 1024 * 1024)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        check(plan, Untouched(), 5 * 1024 * 1024 + 1)  # type: ignore[arg-type]


def test_both_pictures_are_looked_at_when_the_request_is_large():
    large = bytes(5 * 1024 * 1024 + 1)
    assert set(problems(Compare(source={"content": large}, target={"content": large}))) == {
        "source.content",
        "target.content",
    }


def test_a_flood_of_values_is_refused_before_all_are_looked_at():
    flood = Explain(action="face.search")
    flood.request["a"] = [None] * 200_000
    with pytest.raises(InvalidArgument, match="holds more than 10000 values"):
        problems(flood)


def test_a_few_problems_are_enough():
    assert len(problems(Delete(parent="collections/c", names=["x"] * 500))) == 10


def test_the_message_names_every_field():
    with pytest.raises(InvalidArgument) as refused:
        check(compile_limits(Detect.DESCRIPTOR), Detect(min_confidence=NAN), 0)
    assert refused.value.message == ("image: is required; min_confidence: must be a finite number")
    assert refused.value.field == "image"
    assert refused.value.reason == "INVALID_FIELD"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return compiled(
        tmp_path_factory.mktemp("trial"),
        """
        enum E { E_UNSPECIFIED = 0; E_A = 1; }
        message Q {
          optional int32 present = 1 [(limits).required = true];
          E kind = 2 [(limits).required = true];
          bytes blob = 3 [(limits) = {required: true, max_length: 3}];
          repeated double numbers = 4 [(limits) = {max_items: 3, max: 5}];
          map<string, float> shares = 5 [(limits) = {max_items: 2}];
          oneof choice { string a = 6; int32 b = 7; }
          uint64 least = 8 [(limits).min = 2];
          optional bool flag = 9 [(limits).required = true];
        }
        """,
    ).message_types_by_name["Q"]


GOOD = {"present": 0, "kind": 1, "blob": b"x", "least": 2, "flag": False}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, {}),
        ({"present": None}, {"present": "is required"}),
        ({"kind": 0}, {"kind": "is required"}),
        ({"kind": 7}, {"kind": "must be one of E_UNSPECIFIED, E_A"}),
        ({"blob": b""}, {"blob": "is required"}),
        ({"blob": b"1234"}, {"blob": "has 4 bytes, at most 3 are taken"}),
        ({"numbers": [1, 2, NAN]}, {"numbers[2]": "must be a finite number"}),
        ({"numbers": [1, 6]}, {"numbers[1]": "must be at most 5"}),
        ({"numbers": [1, 2, 3, 4]}, {"numbers": "holds 4, at most 3 are taken"}),
        ({"shares": {"a": INF}}, {"shares[a]": "must be a finite number"}),
        ({"shares": {"a": 1, "b": 2, "c": 3}}, {"shares": "holds 3, at most 2 are taken"}),
        ({"least": 1}, {"least": "must be at least 2"}),
        ({"flag": None}, {"flag": "is required"}),
    ],
)
def test_every_kind_of_field(trial: Any, changes: dict[str, Any], wrong: dict[str, str]):
    values = {key: value for key, value in (GOOD | changes).items() if value is not None}
    assert problems(GetMessageClass(trial)(**values)) == wrong


def test_any_float_is_taken_exactly_when_it_is_in_range():
    draw = random.Random(1)
    special = [0.0, -0.0, 1.0, NAN, INF, -INF, 1e-45, -1e-45, 1.0000001, 3e38]
    plan = compile_limits(Detect.DESCRIPTOR)
    for value in special + [draw.uniform(-2, 2) for _ in range(500)]:
        request = Detect(image=PICTURE, min_confidence=value)
        seen = request.min_confidence
        try:
            check(plan, request, 10)
            taken = True
        except InvalidArgument:
            taken = False
        assert taken == (math.isfinite(seen) and 0 <= seen <= 1), value
