"""Decision identifiers."""

import uuid

from beholden.guard.ids import decision_id


def test_is_a_uuid_of_version_7_with_its_time():
    found = uuid.UUID(decision_id(1_795_310_350_275_321_168))
    assert found.variant == uuid.RFC_4122
    assert found.version == 7
    assert found.int >> 80 == 1_795_310_350_275


def test_sorts_by_time_and_does_not_repeat():
    times = [n * 1_000_000 for n in range(1000)]
    ids = [decision_id(time) for time in times]
    assert ids == sorted(ids)
    assert len({decision_id(0) for _ in range(10_000)}) == 10_000
