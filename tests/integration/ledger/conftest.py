"""The same databases as under the contract tests."""

from tests.contract.conftest import ledger_url

__all__ = ["ledger_url"]
