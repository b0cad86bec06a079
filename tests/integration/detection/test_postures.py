"""Who sits in group photographs, through the served models."""

from beholden.vision.postures import LYING, SITTING
from tests.analyses import analyst
from tests.postures import OTHERWISE, SITS, told


async def test_who_sits_on_a_bench_and_who_stands_behind_it() -> None:
    async with analyst() as here:
        counts = await told(here, 12, 16)
    assert counts[SITS, SITTING] == 4
    assert counts[OTHERWISE, SITTING] == 0
    assert counts[OTHERWISE, "Standing"] >= 3
    assert counts[SITS, LYING] == counts[OTHERWISE, LYING] == 0
    assert counts[SITS, "hand"] == counts[OTHERWISE, "hand"] == 0
