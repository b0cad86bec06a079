"""Words of a page and of street scenes: rapidocr."""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import closing
from types import SimpleNamespace
from typing import Any

from rich.table import Table

from tests.bench import accuracy
from tests.bench.reference.common import THEIRS
from tests.house import House


class Rapid:
    """rapidocr in place of the service, for the same scores."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(THEIRS / "words.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def words(self, content: bytes) -> list[Any]:
        """The words of a picture."""
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            print(file.name, file=self._process.stdin, flush=True)
            found = json.loads(self._process.stdout.readline())
        return [
            SimpleNamespace(text=text, polygon=[SimpleNamespace(x=x, y=y) for x, y in corners])
            for text, corners in found
        ]

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()


def words(home: House, python: str) -> Table:
    """The scores of the accuracy's page and scenes, by both."""
    shown = Table("what", "there", "who", "found", "told", "right", title="Words: rapidocr")
    with closing(Rapid(python)) as reference:
        for who, reader in (("reference", reference), ("service", accuracy.Service(home))):
            for score in (accuracy.page(reader), accuracy.scenes(reader)):
                figures = map(str, (score.found, score.told, score.right))
                shown.add_row(score.what, str(score.there), who, *figures)
    return shown
