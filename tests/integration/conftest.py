"""One house for all integration tests; each test uses its own tenant's own collections."""

from collections.abc import Iterator

import pytest

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
    folder = tmp_path_factory.mktemp("house")
    (folder / "videos").mkdir()
    own = {"custom": True}
    tenants = registry(folder, acme_platform=MODERATION, find_the_lost=own, metro_police=own)
    videos = str(folder / "videos")
    with house(folder, TENANTS=str(tenants), VIDEO__FOLDER=videos) as running:
        yield running
