"""One house for all tests of a worker, each with its own collections; shared servers end at the end."""

from collections.abc import Iterator

import pytest

from tests import engines
from tests.house import House, house, registry

MODERATION = {
    "blocklists": [
        {"name": "games of chance", "words": ["casino", "slot machine"]},
        {"name": "drinks", "words": ["gin"], "tells_words": True},
    ],
    "min_confidence": {"Explicit": 0.3, "drinks": 0.2},
}


@pytest.fixture(scope="session", name="house")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """`beholden serve all` over the embedded engines, with words that one tenant blocks."""
    folder = tmp_path_factory.mktemp("house")
    with house(folder, TENANTS=str(registry(folder, acme_platform=MODERATION))) as running:
        yield running


def pytest_sessionfinish() -> None:
    """Called by pytest when the last test is done, whatever became of it."""
    engines.close()
