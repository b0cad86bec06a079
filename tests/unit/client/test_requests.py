"""Requests from plain Python, and what is said of a call."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beholden.client import connecting, declarations
from beholden.client.requests import filled
from beholden.v1 import collection_pb2, enrolment_pb2, image_pb2, search_pb2, video_pb2


def test_pictures_are_bytes_or_files_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"jpeg")
    for given in (b"jpeg", file, str(file), {"content": b"jpeg"}, image_pb2.Image(content=b"jpeg")):
        made = filled(search_pb2.IndexFacesRequest, {"image": given, "parent": "collections/a"})
        assert made.image.content == b"jpeg"
        picture = {"picture": {"image": given, "external_image_id": "x"}}
        assert filled(enrolment_pb2.BulkIndexFacesRequest, picture).picture.image.content == b"jpeg"
    video = filled(video_pb2.AnalyzeVideoRequest, {"video": {"file": "gate.mp4"}, "features": []})
    assert video.video.file == "gate.mp4"
    with pytest.raises(FileNotFoundError):
        filled(search_pb2.IndexFacesRequest, {"image": tmp_path / "none.jpg"})


def test_times_lists_and_enums_are_python_s_own() -> None:
    when = datetime(2026, 5, 1, tzinfo=UTC)
    said = {"source": "desk", "capture_time": when}
    made = filled(search_pb2.IndexFacesRequest, {"provenance": said, "quality_filter": None})
    assert made.provenance == collection_pb2.Provenance(source="desk", capture_time=when)
    names = filled(search_pb2.DeleteFacesRequest, {"names": (name for name in ("a", "b"))})
    assert list(names.names) == ["a", "b"]
    features = filled(video_pb2.AnalyzeVideoRequest, {"features": ["VIDEO_FEATURE_TEXT"]})
    assert list(features.features) == [video_pb2.VIDEO_FEATURE_TEXT]


def test_a_call_that_is_tried_again_counts_once() -> None:
    first, second = (filled(search_pb2.IndexFacesRequest, {}).request_id for _ in range(2))
    assert uuid.UUID(first) != uuid.UUID(second)
    own = str(uuid.uuid4())
    assert filled(search_pb2.IndexFacesRequest, {"request_id": own}).request_id == own


@pytest.mark.parametrize("fields", [{"imgae": b""}, {"image": {"contents": b""}}, {"parent": 5}])
def test_what_does_not_fit_is_an_error(fields: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        filled(search_pb2.IndexFacesRequest, fields)


def test_what_is_said_becomes_metadata() -> None:
    said = declarations.Said(
        purpose="x_y", on_behalf_of="", realtime=False, consent="a.b", timeout=3
    )
    told = [("beholden-purpose", "x_y"), ("beholden-realtime", "no"), ("beholden-consent", "a.b")]
    assert declarations.metadata(said) == told
    with pytest.raises(ValueError, match="case"):
        declarations.metadata({"case": "zwölf"})
    with pytest.raises(TypeError, match="porpoise"):
        declarations.check({"porpoise": "x"})
    with pytest.raises(ValueError, match="token"):
        declarations.bearer("a\nb")


def test_tls_is_what_the_address_or_certificates_say(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(b"")
    with_ca = connecting.Certificates(ca=ca)
    assert connecting.target("a:1", connecting.NONE) == ("a:1", None)
    assert connecting.target("http://a:1/", connecting.NONE) == ("a:1", None)
    assert connecting.target("unix:///run/b.sock", connecting.NONE) == ("unix:///run/b.sock", None)
    for address in ("https://a:1", "a:1"):
        place, credentials = connecting.target(address, with_ca)
        assert place == "a:1"
        assert credentials is not None
    with pytest.raises(ValueError, match="https"):
        connecting.target("http://a:1", with_ca)
    with pytest.raises(ValueError, match="together"):
        connecting.Certificates(certificate=ca)


def test_every_service_is_known() -> None:
    folder = Path(connecting.__file__).parents[1] / "v1"
    with_stubs = {
        file.stem.removesuffix("_pb2_grpc")
        for file in folder.glob("*_pb2_grpc.py")
        if "class " in file.read_text()
    }
    assert {Path(service.file.name).stem for service in connecting.services()} == with_stubs
