"""What faces tell, over the wire: nothing unless asked, and what the law allows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from beholden.v1 import detection_pb2, detection_pb2_grpc, face_pb2, image_pb2
from tests import pictures
from tests.house import House, house, law_of_emotions
from tests.known import SMILES

TOLD = ("age_range", "gender_presentation", "emotions", "liveness", "spoof_score")
OBAMA = "faces/test_images/obama.jpg"
BIDEN = "faces/test_images/biden.jpg"
LESLIE = "faces/knn_examples/train/rose_leslie/img1.jpg"

Ask = Callable[..., detection_pb2.DetectFacesResponse]


def asking(served: House, channel: grpc.Channel) -> Ask:
    stub = detection_pb2_grpc.DetectionServiceStub(channel)

    def ask(
        picture: str, *attributes: str | int, tenant: str = "daily-herald", purpose: str = ""
    ) -> detection_pb2.DetectFacesResponse:
        numbers = [
            face_pb2.FaceAttribute.Value(f"FACE_ATTRIBUTE_{one}") if isinstance(one, str) else one
            for one in attributes
        ]
        request = detection_pb2.DetectFacesRequest(
            image=image_pb2.Image(content=pictures.path(picture).read_bytes()), attributes=numbers
        )
        return stub.DetectFaces(request, metadata=served.headers(tenant, purpose))

    return ask


@pytest.fixture
def ask(house: House) -> Iterator[Ask]:
    with house.channel() as channel:
        yield asking(house, channel)


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A house whose law tells newsrooms what faces seem to show, for editorial research."""
    folder = tmp_path_factory.mktemp("lenient")
    law = law_of_emotions(folder, "editorial_research", "newsroom")
    with (
        house(folder, ["detection"], POLICY_URL=law) as served,
        served.channel() as channel,
    ):
        yield asking(served, channel)


def told(face: face_pb2.DetectedFace) -> set[str]:
    """The attributes that a face has."""
    return {field.name for field, _ in face.ListFields()} & set(TOLD)


def test_nothing_is_told_unless_it_is_asked(ask: Ask) -> None:
    found = ask(OBAMA, tenant="find-the-lost", purpose="missing_persons")
    assert len(found.faces) == 1
    assert told(found.faces[0]) == set()
    assert list(found.attribute_models) == []


def test_what_is_open_is_told_to_everybody_and_only_what_was_asked(ask: Ask) -> None:
    found = ask(OBAMA, "LIVENESS", "SPOOF_SCORE", tenant="metro-police")
    assert told(found.faces[0]) == {"liveness", "spoof_score"}
    assert 0.5 < found.faces[0].liveness <= 1, "it is a photograph of a living man"
    assert 0 <= found.faces[0].spoof_score <= 1
    models = [model.name for model in found.attribute_models]
    assert models == ["face_antispoof", "face_liveness"]
    assert told(ask(OBAMA, "LIVENESS").faces[0]) == {"liveness"}


@pytest.mark.parametrize(
    ("attribute", "tenant", "purpose"),
    [
        ("AGE_RANGE", "daily-herald", ""),
        ("AGE_RANGE", "daily-herald", "editorial_research"),
        ("AGE_RANGE", "find-the-lost", ""),
        ("GENDER_PRESENTATION", "acme-platform", "content_safety"),
        ("EMOTIONS", "find-the-lost", "missing_persons"),
    ],
)
def test_what_the_law_does_not_allow_is_refused_by_name(
    ask: Ask, attribute: str, tenant: str, purpose: str
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        ask(OBAMA, attribute, "LIVENESS", tenant=tenant, purpose=purpose)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(refused.value)
    next(one for one in status.details if one.Is(info.DESCRIPTOR)).Unpack(info)
    assert info.metadata["code"] == "ATTRIBUTE_NOT_ALLOWED"
    assert info.metadata["law"] == f"redaction/attributes/FACE_ATTRIBUTE_{attribute}"


def test_all_leaves_out_what_the_law_withholds(ask: Ask) -> None:
    open_to_all = {"liveness", "spoof_score"}
    everybody = ask(OBAMA, "ALL")
    assert told(everybody.faces[0]) == open_to_all
    asked = {model.name for model in everybody.attribute_models}
    assert asked == {"face_antispoof", "face_liveness"}, "no other model looked"
    platform = ask(OBAMA, "ALL", tenant="acme-platform", purpose="content_safety")
    assert told(platform.faces[0]) == open_to_all | {"age_range"}
    searchers = ask(OBAMA, "ALL", tenant="find-the-lost", purpose="missing_persons")
    assert told(searchers.faces[0]) == open_to_all | {"age_range", "gender_presentation"}


@pytest.mark.parametrize(
    ("picture", "age", "presents"),
    [(OBAMA, 51, "MASCULINE"), (BIDEN, 70, "MASCULINE"), (LESLIE, 27, "FEMININE")],
)
def test_ages_and_presentations_of_known_people(
    ask: Ask, picture: str, age: int, presents: str
) -> None:
    asked = ("AGE_RANGE", "GENDER_PRESENTATION")
    found = ask(picture, *asked, tenant="find-the-lost", purpose="missing_persons")
    face = found.faces[0]
    assert 1 <= face.age_range.low <= age <= face.age_range.high <= 100
    assert face.age_range.high - face.age_range.low < 40, "a range that says something"
    kind = face_pb2.GenderPresentationType.Name(face.gender_presentation.type)
    assert kind == f"GENDER_PRESENTATION_TYPE_{presents}"
    assert face.gender_presentation.confidence > 0.9
    assert [model.name for model in found.attribute_models] == ["faceres"]


@pytest.mark.parametrize("picture", SMILES)
def test_smiles_are_told_where_the_law_allows_it(lenient: Ask, picture: str) -> None:
    face = lenient(f"faces/{picture}", "EMOTIONS", purpose="editorial_research").faces[0]
    assert face.emotions[0].type == face_pb2.EMOTION_TYPE_HAPPY


def test_all_emotions_are_told_and_only_for_the_purpose(lenient: Ask) -> None:
    face = lenient(OBAMA, "EMOTIONS", purpose="editorial_research").faces[0]
    shares = [one.confidence for one in face.emotions]
    assert len(shares) == 7
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    with pytest.raises(grpc.RpcError) as refused:
        lenient(OBAMA, "EMOTIONS")
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_every_face_of_a_group_is_told(ask: Ask) -> None:
    found = ask(
        "groups/1.jpg", "LIVENESS", "AGE_RANGE", tenant="find-the-lost", purpose="missing_persons"
    )
    assert len(found.faces) > 5
    assert all(told(face) == {"liveness", "age_range"} for face in found.faces)
    assert len({face.liveness for face in found.faces}) > 5, "each by its own pixels"


@pytest.mark.parametrize("attributes", [("UNSPECIFIED",), (99,), ("LIVENESS",) * 17])
def test_what_is_no_attribute_is_bad_input(ask: Ask, attributes: tuple[str | int, ...]) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        ask(OBAMA, *attributes)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "attributes" in str(rpc_status.from_call(refused.value))


def test_a_picture_without_a_face_tells_nothing(ask: Ask, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.write_bytes(pictures.encode(pictures.pixels("astronaut")[400:, :64]))
    found = ask(str(empty), "ALL")
    assert list(found.faces) == []
