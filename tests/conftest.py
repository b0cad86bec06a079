"""Which tests run, and the end of the servers that they have shared."""

import os

import pytest

from tests import engines


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    parser.addoption("--thorough", action="store_true", help="run also what takes many seconds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Called by pytest: thorough tests wait for CI, unless they are asked for by name or option."""
    named = any("::" in one for one in config.args)
    if named or config.getoption("--thorough") or os.environ.get("CI") == "true":
        return
    left_out = [one for one in items if one.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [one for one in items if not one.get_closest_marker("thorough")]


def pytest_sessionfinish() -> None:
    """Called by pytest when the last test is done, whatever became of it."""
    engines.close()
