"""The same databases as under the contract tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import ledgers


@pytest.fixture(
    params=[
        pytest.param(kind, marks=[pytest.mark.thorough] * (kind != "sqlite"))
        for kind in ledgers.DATABASES
    ]
)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty ledger. The contract tests ask both databases, whoever runs them."""
    with ledgers.database(request.param, tmp_path) as url:
        yield url
