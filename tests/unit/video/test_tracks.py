"""Boxes followed from frame to frame."""

from beholden.core.geometry import Box
from beholden.core.video import SECOND
from beholden.video.following import Following
from beholden.vision.tracks import Sighting, Tracker


def person(x: float, confidence: float = 0.9, y: float = 0.2, width: float = 0.1) -> Sighting:
    return Sighting("Person", Box(x, y, x + width, y + 0.4), confidence)


def followed(frames: list[list[Sighting]], step: float = 0.4) -> list[list[int]]:
    """The numbers of the tracks seen in each frame, from left to right."""
    tracker = Tracker()
    seen = []
    for number, sightings in enumerate(frames):
        matched, _ = tracker.update(int(number * step * SECOND), sightings)
        matched.sort(key=lambda pair: pair[1].box.x_min)
        seen.append([track.id for track, _ in matched])
    return seen


def test_who_walks_keeps_a_number() -> None:
    assert followed([[person(0.1 * step)] for step in range(9)]) == [[1]] * 9


def test_two_who_cross_do_not_swap() -> None:
    frames = [[person(0.05 * step), person(0.8 - 0.05 * step, y=0.35)] for step in range(16)]
    seen = followed(frames, 0.2)
    assert sorted({number for frame in seen for number in frame}) == [1, 2]
    assert seen[0] == [1, 2]
    assert seen[-1] == [2, 1]


def test_who_is_hidden_for_a_moment_comes_back() -> None:
    frames = [[person(0.3)], [person(0.3)], [], [], [person(0.31)]]
    assert followed(frames)[-1] == [1]


def test_who_comes_after_is_another() -> None:
    frames = [[person(0.3)], [person(0.3)], *([[]] * 10), [person(0.3)]]
    assert followed(frames)[-1] == [2]


def test_a_doubtful_box_keeps_a_track_alive_and_begins_none() -> None:
    assert followed([[person(0.3, 0.3)], [person(0.3)], [person(0.3, 0.3)]]) == [[], [1], [1]]


def test_a_part_of_a_person_is_no_second_one() -> None:
    head = Sighting("Person", Box(0.32, 0.2, 0.38, 0.3), 0.6)
    assert followed([[person(0.3), head]]) == [[1]]


def told(frames: list[list[Sighting]]) -> list[tuple[int, int]]:
    """The moments that are told of frames a tenth of a second apart: the frame's number and the track's."""
    following = Following[None]()
    found = []
    for number, sightings in enumerate(frames):
        _, moments, _ = following.update(number * 100_000, 100_000, sightings)
        found += [(time_us // 100_000, track.id) for time_us, track, _ in moments]
    return sorted(found)


HALVES = [person(0.3, width=0.14), person(0.39, 0.6, width=0.11)]


def test_somebody_seen_in_two_halves_for_a_moment_is_told_once() -> None:
    whole = [person(0.3, width=0.2)]
    frames = [whole] * 5 + [HALVES] * 4 + [whole] * 5
    assert told(frames) == [(number, 1) for number in range(14)]


def test_two_who_were_seen_as_one_are_told_from_when_they_part() -> None:
    frames = [[person(0.3, width=0.2)]] * 5 + [HALVES] * 8
    both = told(frames)
    assert [number for number, track in both if track == 1] == [*range(13)]
    assert [number for number, track in both if track == 2] == [*range(5, 13)]


def test_who_comes_out_from_behind_somebody_keeps_a_number() -> None:
    tall = [Sighting("Person", Box(0.3, 0.2, 0.4, low), 0.9) for low in (0.9, 0.7, 0.5, 0.5, 0.85)]
    assert followed([[one] for one in tall], 0.04) == [[1]] * 5


def test_a_car_is_no_person() -> None:
    car = Sighting("Car", person(0.3).box, 0.9)
    assert followed([[person(0.3)], [car]]) == [[1], [2]]


def test_boxes_that_tremble_do_not_lead_astray() -> None:
    """Ten frames a tenth of a second apart, then nothing for half a second, and somebody beside."""
    trembling = [[person(0.3 + 0.02 * (step % 2))] for step in range(10)]
    hidden: list[list[Sighting]] = [[]] * 5
    assert followed([*trembling, *hidden, [person(0.31), person(0.45)]], 0.1)[-1] == [1, 2]


def test_a_fast_one_is_found_again_before_its_way_is_known() -> None:
    assert followed([[person(0.15 * step, width=0.05)] for step in range(4)], 0.3) == [[1]] * 4


def test_a_second_box_of_somebody_does_not_take_their_number() -> None:
    second = [person(0.3), person(0.34, 0.6, width=0.14)]
    assert followed([*([[person(0.3)]] * 8), second, [person(0.33)]], 0.1)[-1] == [1]


def test_who_appears_beside_somebody_who_goes_is_another() -> None:
    assert followed([*([[person(0.3)]] * 3), [person(0.4)]], 0.04)[-1] == [2]


def test_what_came_and_went_did_so_between_two_looks() -> None:
    following: Following[None] = Following()
    for second, sightings in enumerate([[], [person(0.3)], [person(0.3)], [], []]):
        following.update(second * SECOND, SECOND // 10, sightings)
    ((track, end_us),) = following.finish(5 * SECOND)
    assert (track.first_us, end_us) == (550_000, 2_550_000), "half way, and a frame is 0.1 s"


def test_of_every_frame_stretches_are_exact() -> None:
    following: Following[None] = Following()
    for step, sightings in enumerate([[], [person(0.3)], [person(0.3)], []]):
        following.update(step * 100_000, 100_000, sightings)
    ((track, end_us),) = following.finish(400_000)
    assert (track.first_us, end_us) == (100_000, 300_000)


def test_what_is_over_is_told_once() -> None:
    tracker = Tracker()
    tracker.update(0, [person(0.1), person(0.6)])
    assert tracker.update(SECOND, [person(0.1)])[1] == []
    _, over = tracker.update(3 * SECOND, [person(0.1)])
    assert [track.id for track in over] == [2]
    assert not over[0].confirmed
    assert [track.id for track in tracker.finish()] == [1]
    assert tracker.finish() == []
