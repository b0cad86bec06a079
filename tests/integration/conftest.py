"""One house for all integration tests; each test uses its own tenant's own collections."""

from collections.abc import Iterator

import pytest

from tests.house import House, house


@pytest.fixture(scope="session", name="house")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as running:
        yield running
