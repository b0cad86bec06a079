"""How much of what is there was told, and how much of what was told is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Score:
    """`found` of `there` were told, and `right` of `told` were right."""

    what: str
    there: int
    found: int
    told: int
    right: int

    @property
    def recall(self) -> float:
        """The share of what is there that was found."""
        return self.found / max(1, self.there)

    @property
    def precision(self) -> float:
        """The share of what was told that is right."""
        return self.right / max(1, self.told)


def table(scores: Iterable[Score]) -> Table:
    """A row a score."""
    shown = Table(title="What the service tells of known pictures")
    for name in ("what", "there", "found", "recall", "told", "right", "precision"):
        shown.add_column(name, justify="left" if name == "what" else "right")
    for score in scores:
        shown.add_row(
            score.what, str(score.there), str(score.found), f"{score.recall:.3f}",
            str(score.told), str(score.right), f"{score.precision:.3f}",
        )  # fmt: skip
    return shown
