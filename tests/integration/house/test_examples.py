"""Labels that a tenant teaches by examples, over the wire."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from beholden.v1 import image_pb2, moderation_pb2, moderation_pb2_grpc
from tests.e2e.conftest import Shell
from tests.house import House
from tests.pictures import encode, path, pixels

Create = moderation_pb2.CreateModerationExampleRequest
List = moderation_pb2.ListModerationExamplesRequest
Delete = moderation_pb2.DeleteModerationExampleRequest
STREET = "street, as we see it"
ABSENT = "moderationExamples/00000000-0000-4000-8000-000000000000"


def scenes() -> list[Path]:
    return sorted(path("text/det_toy_dataset/textdet_test.json").parent.rglob("*.jpg"))


def groups() -> list[Path]:
    return sorted(path("groups/1.jpg").parent.glob("*.jpg"))


def image(file: Path) -> image_pb2.Image:
    return image_pb2.Image(content=file.read_bytes())


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[moderation_pb2_grpc.ModerationServiceStub]:
    with house.channel() as channel:
        yield moderation_pb2_grpc.ModerationServiceStub(channel)


@pytest.fixture(scope="module")
def own(house: House) -> list[tuple[str, str]]:
    return house.headers("find-the-lost")


@pytest.fixture(scope="module")
def taught(stub, own) -> list[moderation_pb2.ModerationExample]:
    """Five street scenes under a label, and ten photographs of groups that are ordinary."""
    wanted = [Create(image=image(one), label=STREET) for one in scenes()[:5]]
    wanted += [Create(image=image(one), ordinary=True) for one in groups()[:10]]
    return [stub.CreateModerationExample(one, metadata=own).example for one in wanted]


def told(stub, metadata, file: Path, least: float | None = None) -> dict[str, float]:
    request = moderation_pb2.ModerateImageRequest(image=image(file), min_confidence=least)
    found = stub.ModerateImage(request, metadata=metadata)
    return {
        label.name: label.confidence
        for label in found.labels
        if label.source == moderation_pb2.MODERATION_SOURCE_CUSTOM
    }


def test_what_was_taught_is_told_of_other_pictures_like_it(stub, own, taught, house) -> None:
    for scene in scenes()[5:8]:
        found = told(stub, own, scene)
        assert found.keys() == {"Custom", STREET}
        assert found["Custom"] == found[STREET] >= 0.5
    for group in groups()[10:12]:
        assert not told(stub, own, group)
        assert 0 < told(stub, own, group, 0)[STREET] < 0.5
    assert STREET not in (house.folder / "server.log").read_text()


def test_what_examples_are_worth_is_listed(stub, own, taught) -> None:
    request = moderation_pb2.ListModerationLabelsRequest()
    listed = {one.name: one for one in stub.ListModerationLabels(request, metadata=own).labels}
    own = listed[STREET]
    assert (own.parent_name, own.coverage) == ("Custom", moderation_pb2.MODERATION_COVERAGE_COVERED)
    assert [model.name for model in own.models] == ["squeezenet_features"]
    worth = own.calibration
    assert (worth.example_count, worth.other_count) == (5, 10)
    assert worth.found >= 0.8
    assert worth.false_alarms <= 0.1


def test_examples_are_listed_page_by_page_and_nobody_elses(stub, own, taught, house) -> None:
    names, request = [], List(page_size=4)
    while not names or request.page_token:
        page = stub.ListModerationExamples(request, metadata=own)
        names += [one.name for one in page.examples]
        request.page_token = page.next_page_token
    assert names == sorted(one.name for one in taught)
    other = house.headers("metro-police")
    assert not stub.ListModerationExamples(List(), metadata=other).examples
    assert not told(stub, other, scenes()[0], 0)
    with pytest.raises(grpc.RpcError) as caught:
        stub.DeleteModerationExample(Delete(name=names[0]), metadata=other)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_label_of_too_few_examples_is_silent_and_says_so(stub, house) -> None:
    """As somebody at a terminal has it."""
    env = {**house.env, "BEHOLDEN_SERVER": house.address, "COLUMNS": "120"}
    shell = Shell(house.address, env, house.folder)

    def run(*arguments: str | Path) -> str:
        ended = shell.run("--as", "metro-police", *arguments)
        assert ended.code == 0, ended.err
        return ended.out

    for _ in range(2):
        assert "1 picture of 1 added as examples of [odd]" in run(
            "examples", "add", scenes()[0], "--label", "[odd]"
        )
    listed = run("examples", "list", "--json").splitlines()
    assert len(listed) == 1, "added again, it is there once"
    assert "[odd]" in run("examples", "list")
    assert "1 example, 0 others: too few" in run("moderate", "--list")
    assert not told(stub, house.headers("metro-police"), scenes()[0], 0)
    example = json.loads(listed[0])["name"].rpartition("/")[2]
    assert "deleted 1 example" in run("examples", "delete", example, "--yes")
    assert "no examples" in run("examples", "list")
    assert shell.run("--as", "metro-police", "examples", "add", scenes()[0]).code == 2


@pytest.mark.parametrize(
    ("call", "options", "code", "field"),
    [
        ("Create", {"label": "x"}, "INVALID_ARGUMENT", "image"),
        ("Create", {"image": b"no picture", "label": "x"}, "INVALID_ARGUMENT", "image.content"),
        ("Create", {"image": b"", "label": "x"}, "INVALID_ARGUMENT", "image.content"),
        ("Create", {"image": None}, "INVALID_ARGUMENT", "label"),
        ("Create", {"image": None, "label": " "}, "INVALID_ARGUMENT", "label"),
        ("Create", {"image": None, "label": "x", "ordinary": True}, "INVALID_ARGUMENT", "label"),
        ("Create", {"image": None, "label": "weapons"}, "INVALID_ARGUMENT", "label"),
        ("Create", {"image": None, "label": "x" * 101}, "INVALID_ARGUMENT", "label"),
        ("Create", {"label": "x", "request_id": "1"}, "INVALID_ARGUMENT", "request_id"),
        ("List", {"page_token": "x"}, "INVALID_ARGUMENT", "page_token"),
        ("List", {"page_size": -1}, "INVALID_ARGUMENT", "page_size"),
        ("Delete", {}, "INVALID_ARGUMENT", "name"),
        ("Delete", {"name": "moderationExamples/1"}, "INVALID_ARGUMENT", "name"),
        ("Delete", {"name": ABSENT}, "NOT_FOUND", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(stub, own, taught, call, options, code, field) -> None:
    if "image" in options:
        content = options["image"]
        content = encode(pixels("astronaut")[:64, :64]) if content is None else content
        options = {**options, "image": image_pb2.Image(content=content)}
    name = f"{call}ModerationExample{'s' if call == 'List' else ''}"
    request = getattr(moderation_pb2, f"{name}Request")(**options)
    with pytest.raises(grpc.RpcError) as caught:
        getattr(stub, name)(request, metadata=own)
    assert caught.value.code().name == code, caught.value.details()
    if field is not None:
        status, bad = rpc_status.from_call(caught.value), error_details_pb2.BadRequest()
        assert any(detail.Unpack(bad) for detail in status.details)
        assert field in {violation.field for violation in bad.field_violations}


def test_a_tenant_that_has_not_asked_for_it_keeps_no_examples(stub, house) -> None:
    for call, request in (
        (stub.CreateModerationExample, Create(image=image(scenes()[0]), label="x")),
        (stub.ListModerationExamples, List()),
        (stub.DeleteModerationExample, Delete(name=ABSENT)),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=house.headers("daily-herald"))
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "moderation.custom" in caught.value.details()
