"""The engines that the contract tests run against, each row of them named by its kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.ledgers import DATABASES, database


@pytest.fixture(params=DATABASES)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty ledger."""
    with database(request.param, tmp_path) as url:
        yield url
