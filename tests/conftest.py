"""Ends the servers that tests have shared."""

from tests import engines


def pytest_sessionfinish() -> None:
    """Called by pytest when the last test is done, whatever became of it."""
    engines.close()
