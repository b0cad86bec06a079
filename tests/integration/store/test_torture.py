"""A short torture: what is promised holds while the store is killed under many callers.

The long one is `python -m tests.bench.torture`.
"""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.torture import Served, torture


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_promises_hold_through_a_kill(tmp_path: Path) -> None:
    with ExitStack() as stack:
        report = torture(Served(tmp_path, stack), callers=6, seconds=4, kills=1)
    assert not report.wrong
    assert report.acknowledged > 5
    assert report.done["search"] > 5
    assert report.kills == 1
    assert report.statuses["UNAVAILABLE"], "nobody noticed that the store was killed"
