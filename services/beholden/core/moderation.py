"""What is unsafe: the labels it goes by, what a picture holds of it, and a tenant's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from beholden.core.geometry import Box
from beholden.core.text import Polygon

BLOCKLISTED = "Blocklisted Text"
"""The label above those of a tenant's blocklists, each of which is called as its list is."""

CUSTOM = "Custom"
"""The label above those that a tenant has taught by examples."""


class LabelSource(Enum):
    """Whose a label is; the names are the proto enum's, less its prefix."""

    TAXONOMY = "TAXONOMY"
    BLOCKLIST = "BLOCKLIST"
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, slots=True)
class ModerationKind:
    """One label of the taxonomy.

    `parents` are all labels above it, the nearest first; `classes` are, by a model's name, those of
    its classes that speak for the label.
    """

    name: str
    parents: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class ModerationTaxonomy:
    """Every label there is, each after those above it, and the kinds of picture told beside them.

    `content_types` are, by kind and model, the classes that speak for a kind of picture.
    """

    def __init__(
        self,
        kinds: Iterable[ModerationKind],
        content_types: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
    ) -> None:
        """Raises ValueError where two labels share a name, or have one that is kept for tenants'."""
        self.kinds = tuple(kinds)
        self.content_types = content_types or {}
        names = [BLOCKLISTED, CUSTOM, *(kind.name for kind in self.kinds)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]} is said twice")

    def spoken_for_by(self, model: str) -> tuple[ModerationKind, ...]:
        """The labels that a model speaks for itself."""
        return tuple(kind for kind in self.kinds if model in kind.classes)


@dataclass(frozen=True, slots=True)
class UnsafeRegion:
    """A place in the picture and the label that it has; `confidence` in [0, 1].

    Where there is an `outline`, such as that of slanted text, it is tighter than the box. `word` is
    the blocklist's, where the tenant wants it told.
    """

    label: str
    confidence: float
    box: Box
    outline: Polygon | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class ModerationLabel:
    """What a picture holds. `parents` as in `ModerationKind`; `models` are the ids of who said so."""

    name: str
    parents: tuple[str, ...]
    confidence: float
    models: tuple[str, ...]
    regions: tuple[UnsafeRegion, ...] = ()
    source: LabelSource = LabelSource.TAXONOMY


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Words and phrases that must not be written in a picture, each with a letter or digit at least.

    Unless it `tells_words`, what is found is told by the list's name alone.
    """

    name: str
    words: tuple[str, ...] = field(repr=False)
    tells_words: bool = False


@dataclass(frozen=True, slots=True)
class ModerationRules:
    """What a tenant's record says of moderation; `custom` is whether its own examples count."""

    min_confidence: Mapping[str, float] = field(default_factory=dict)
    blocklists: tuple[Blocklist, ...] = ()
    custom: bool = False

    def least(
        self, name: str, parents: tuple[str, ...], asked: float | None, otherwise: float
    ) -> float:
        """The confidence under which a label is left out, in [0, 1].

        The tenant's for the label or the nearest above it that has one, which the caller can raise
        and not lower; where the tenant says nothing what the caller `asked`, or else `otherwise`.
        """
        own = (self.min_confidence[one] for one in (name, *parents) if one in self.min_confidence)
        floor = next(own, None)
        if floor is None:
            return otherwise if asked is None else asked
        return floor if asked is None else max(floor, asked)
