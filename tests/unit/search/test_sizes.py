"""Small galleries are counted each time, large ones once a minute."""

from collections import Counter

import pytest

from beholden.core.errors import NotFound
from beholden.search.sizes import Sizes


class Galleries:
    """Sizes that are counted, and how often each was; a clock that is set."""

    def __init__(self) -> None:
        self.sizes = {("herald", "small"): 9_999, ("herald", "large"): 10_000}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.now = 0.0

    async def count(self, tenant: str, collection: str) -> int:
        self.asked[tenant, collection] += 1
        try:
            return self.sizes[tenant, collection]
        except KeyError:
            raise NotFound(collection) from None


async def test_a_small_one_is_as_it_is_now() -> None:
    known = Galleries()
    sizes = Sizes(known.count, lambda: known.now)
    assert await sizes.of("herald", "small") == 9_999
    known.sizes["herald", "small"] = 3
    assert await sizes.of("herald", "small") == 3


async def test_a_large_one_is_counted_once_a_minute() -> None:
    known = Galleries()
    sizes = Sizes(known.count, lambda: known.now)
    assert await sizes.of("herald", "large") == 10_000
    known.sizes["herald", "large"] = 5
    known.now = 59.9
    assert await sizes.of("herald", "large") == 10_000
    known.now = 60.0
    assert [await sizes.of("herald", "large") for _ in range(2)] == [5, 5]
    assert known.asked["herald", "large"] == 3


async def test_others_of_its_name_are_others() -> None:
    known = Galleries()
    sizes = Sizes(known.count, lambda: known.now)
    await sizes.of("herald", "large")
    with pytest.raises(NotFound):
        await sizes.of("tribune", "large")
