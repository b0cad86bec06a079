"""The databases that reviews lie in."""

from tests.contract.conftest import ledger_url

__all__ = ["ledger_url"]
