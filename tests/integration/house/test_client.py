"""beholden.client against a real server: each shape of call, waiting and not."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from beholden.client import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    Denied,
    InvalidArgument,
    NotFound,
    Unauthenticated,
)
from beholden.v1 import video_pb2
from tests import clips, pictures
from tests.house import House

HOME = "collections/client-sync"
AWAY = "collections/client-async"
SOURCE = {"source": "desk", "legal_basis": "press law"}
FILM = ["VIDEO_FEATURE_SEGMENTS"]


def token(house: House, tenant: str) -> str:
    return house.headers(tenant, roles=["custodian"])[0][1].removeprefix("Bearer ")


@pytest.fixture(scope="module", name="client")
def made(house: House) -> Iterator[Client]:
    asked = lambda: token(house, "daily-herald")  # noqa: E731
    with Client(house.address, token=asked, purpose="editorial_research") as client:
        yield client


@pytest.fixture(name="aio")
async def made_aio(house: House) -> AsyncIterator[AsyncClient]:
    async def asked() -> str:
        return token(house, "daily-herald")

    async with AsyncClient(house.address, token=asked, purpose="editorial_research") as client:
        yield client


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [clips.bars()] * 3 + [clips.noise(1)] * 3
    return clips.written(tmp_path_factory.mktemp("film") / "film.mp4", frames)


def test_faces_are_enrolled_listed_and_found(client: Client) -> None:
    astronaut = pictures.path("astronaut")
    client.create_collection(collection_id="client-sync")
    enrolled = client.index_faces(HOME, astronaut, provenance=SOURCE)
    assert len(enrolled.message.faces) == 1
    assert len(enrolled.decision_id) == 36
    content = astronaut.read_bytes()
    with client.bulk_index_faces(
        {"enrolment": {"parent": HOME, "provenance": SOURCE}},
        [{"image": content, "external_image_id": f"copy-{n}"} for n in range(2)],
    ) as told:
        results = [result for answer in told for result in answer.results]
        assert [result.item for result in results] == [0, 1]
        assert len(told.decision_id) == 36
    listed = client.list_faces(HOME, page_size=1)
    names = [face.name for face in listed]
    assert len(names) == len(set(names)) == len(list(listed.pages())) >= 2
    found = client.search_faces_by_image(HOME, content, min_similarity=0.9).message
    assert found.candidates[0].similarity > 0.99
    with client.export_collection(HOME) as export:
        assert next(iter(export)).collection.name == HOME


async def test_and_without_waiting(aio: AsyncClient) -> None:
    astronaut = pictures.path("astronaut")
    await aio.create_collection(collection_id="client-async")
    assert len((await aio.index_faces(AWAY, astronaut, provenance=SOURCE)).decision_id) == 36

    async def copies() -> AsyncIterator[dict[str, object]]:
        for number in range(2):
            yield {"image": astronaut, "external_image_id": f"copy-{number}"}

    told = aio.bulk_index_faces({"enrolment": {"parent": AWAY, "provenance": SOURCE}}, copies())
    assert [result.item async for answer in told for result in answer.results] == [0, 1]
    assert len(await told.decision_id()) == 36
    listed = aio.list_faces(AWAY, page_size=1)
    assert len([face.name async for face in listed]) == len([page async for page in listed.pages()])
    async with aio.export_collection(AWAY) as export:
        async for answer in export:
            assert answer.collection.name == AWAY
            break


def test_a_refusal_says_which_law_and_what_would_lift_it(client: Client, house: House) -> None:
    police = token(house, "metro-police")
    with (
        Client(house.address, token=police, purpose="criminal_investigation") as theirs,
        pytest.raises(Denied) as refused,
    ):
        theirs.search_faces_by_image(HOME, pictures.path("astronaut"))
    denied = refused.value
    assert (denied.law, denied.since) == ("amazon-2021/police-face-comparison", "2020-06-10")
    assert not denied.until, "until further notice"
    assert "missing_persons" in denied.lifted_by
    assert len(denied.decision_id) == 36
    assert "criminal investigations" in str(denied)
    assert client.detect_faces(pictures.path("astronaut")).decision_id
    with pytest.raises(Denied, match="purpose"):
        client.detect_faces(pictures.path("astronaut"), purpose="victim_identification")


async def test_each_error_has_its_kind(client: Client, aio: AsyncClient, house: House) -> None:
    with pytest.raises(InvalidArgument) as wrong:
        client.detect_faces(b"no picture")
    assert wrong.value.fields[0][0] == "image.content"
    with pytest.raises(NotFound):
        await aio.get_collection("collections/nowhere")
    with pytest.raises(DeadlineExceeded):
        client.list_decisions(timeout=0.000001).pages().__next__()
    with Client(house.address) as nobody, pytest.raises(Unauthenticated) as unknown:
        nobody.get_policy_status()
    assert unknown.value.reason == "TOKEN_MISSING"
    with pytest.raises(TypeError, match="porpoise"):
        client.get_policy_status(porpoise="x")  # type: ignore[call-arg]


async def test_a_file_that_is_not_there_ends_the_stream(client: Client, aio: AsyncClient) -> None:
    start = {"enrolment": {"parent": "collections/nowhere", "provenance": SOURCE}}
    missing = [{"image": "no/such/file.jpg"}]
    with pytest.raises(FileNotFoundError):
        list(client.bulk_index_faces(start, missing))
    with pytest.raises(FileNotFoundError):
        async for _ in aio.bulk_index_faces(start, missing):
            pass


async def test_long_work_is_waited_for(client: Client, aio: AsyncClient, film: Path) -> None:
    seen: list[float] = []
    begun = client.analyze_video(film, FILM)
    result = begun.wait(60, progress=lambda told: seen.append(told.progress))
    assert begun.done
    assert result.annotation_count == len([*client.list_video_annotations(begun.name)])
    assert seen[-1] == begun.metadata.progress == 1
    kinds = video_pb2.AnalyzeVideoResponse, video_pb2.AnalyzeVideoMetadata
    found = await aio.operation(begun.name, *kinds)
    assert await found.wait(60) == result
    other = await aio.analyze_video(film, FILM)
    with pytest.raises(DeadlineExceeded, match="not over"):
        await other.wait(0)
    await other.cancel()
