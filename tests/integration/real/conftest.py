"""One stack over real engines for these tests."""

from collections.abc import Iterator

import pytest

from tests.stack import Real, folder, stack


@pytest.fixture(scope="session")
def real() -> Iterator[Real]:
    with folder() as place, stack(place) as running:
        yield running
