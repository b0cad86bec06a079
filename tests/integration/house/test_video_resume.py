"""An analysis that is taken up chunk by chunk by others finds what an undisturbed one finds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from beholden.core.video import VideoLimits
from beholden.media.frames import AvFrame
from beholden.media.pyav import AvClip, AvReader
from beholden.video.features import Feature
from tests import clips
from tests.analyses import analyst
from tests.bench.video_kill import killed

PASSERS_BY = 3
"""Who is seen from 68 s to 94 s of the walkers' clip, counted by eye: one leaves until 70 s, one is
there from 74.5 s to 87 s, one comes at 92.5 s."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "people.mp4"
    with AvReader(VideoLimits()).open(clips.real(clips.WALKERS), field="video") as clip:
        part = [
            frame.pixels(448)
            for frame in clip.frames(68_000_000, 680)
            if frame.time_us < 94_000_000 and frame.index % 2 == 0
        ]
    return clips.written(path, part, rate=5)


@pytest.mark.thorough
async def test_people_are_counted_and_told_what_they_do(people: Path) -> None:
    async with analyst() as here:
        found = await here.analysed(people, Feature.PEOPLE, Feature.ACTIVITIES)
    tracks = found.spans(Feature.PEOPLE)
    assert abs(len(tracks) - PASSERS_BY) <= 1
    assert all(one.picture.startswith(b"\xff\xd8") for one in tracks)
    longest = max(tracks, key=lambda one: one.end_us - one.start_us)
    assert abs(longest.start_us / 1e6 - 6.5) < 2
    assert abs(longest.end_us / 1e6 - 19) < 2
    doing = found.spans(Feature.ACTIVITIES)
    stands = [one for one in doing if one.name == "Standing" and one.track == longest.track]
    assert sum(one.end_us - one.start_us for one in stands) > 5e6
    assert all(one.detail["rule"] for one in doing)


@pytest.mark.thorough
async def test_resumed_at_each_chunk_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cars in small, so that it is quick; and faces, whose best pictures go through checkpoints."""
    decoded: list[int] = []
    frames = AvClip.frames

    def counted(clip: AvClip, start_us: int = 0, index: int = 0) -> Iterator[AvFrame]:
        for frame in frames(clip, start_us, index):
            decoded.append(frame.index)
            yield frame

    path = tmp_path / "cars.mp4"
    with AvReader(VideoLimits()).open(clips.real(clips.CARS), field="video") as clip:
        clips.written(path, [frame.pixels(640) for frame in clip.frames()], rate=25)
    features = (Feature.LABELS, Feature.PEOPLE, Feature.SEGMENTS, Feature.FACES)
    async with analyst() as here:
        with monkeypatch.context() as counting:
            counting.setattr(AvClip, "frames", counted)
            whole = await here.analysed(path, *features, chunk_seconds=0.5)
        parts = await here.analysed(path, *features, chunk_seconds=0.5, resumed=True)
    assert decoded == list(range(38)), "one decoding feeds every feature"
    assert parts.annotations == whole.annotations
    assert len([one for one in whole.spans(Feature.LABELS) if one.name == "Car"]) == 2


@pytest.mark.thorough
@pytest.mark.timeout(600)  # three servers one after the other
def test_a_server_killed_in_the_middle_finds_the_same(tmp_path: Path) -> None:
    found, places = killed(tmp_path, clips.CARS, ("LABELS", "SEGMENTS", "FACES"), kills=1)
    assert found
    assert 0 < places[0] < 1
