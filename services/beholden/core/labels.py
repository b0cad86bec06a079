"""What labels are called and how they hang together, what a picture shows, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from beholden.core.geometry import Box


@dataclass(frozen=True, slots=True)
class Kind:
    """One label of the taxonomy. `parents` are all labels above it, the nearest first."""

    name: str
    aliases: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class Taxonomy:
    """Labels by name and alias, whatever their case."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        """Raises ValueError where two labels share a name or alias, or a parent is not there."""
        self._kinds: dict[str, Kind] = {}
        for kind in kinds:
            for name in (kind.name, *kind.aliases):
                if (twice := self._kinds.setdefault(name.casefold(), kind)) is not kind:
                    raise ValueError(f"{name} is both {twice.name} and {kind.name}")
        for kind in self._kinds.values():
            for parent in kind.parents:
                if parent.casefold() not in self._kinds:
                    raise ValueError(f"{kind.name} is a kind of {parent}, which is not there")

    def find(self, name: str) -> Kind:
        """The label called `name`; one that is not known stands for itself, without parents."""
        return self._kinds.get(name.casefold()) or Kind(name[:1].upper() + name[1:])

    @property
    def names(self) -> frozenset[str]:
        """The name of every label."""
        return frozenset(kind.name for kind in self._kinds.values())

    @property
    def categories(self) -> frozenset[str]:
        """Every category that a label has."""
        return frozenset(name for kind in self._kinds.values() for name in kind.categories)


@dataclass(frozen=True, slots=True)
class Instance:
    """One object in the picture: where it is, and how sure the detector is, in [0, 1]."""

    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture shows. `models` are the ids of those that said so, `instances` surest first."""

    kind: Kind
    confidence: float
    instances: tuple[Instance, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Which labels are wanted: the included, by name or category (all if none are), less the excluded."""

    include_labels: frozenset[str] = field(default_factory=frozenset)
    include_categories: frozenset[str] = field(default_factory=frozenset)
    exclude_labels: frozenset[str] = field(default_factory=frozenset)
    exclude_categories: frozenset[str] = field(default_factory=frozenset)

    def wants(self, kind: Kind) -> bool:
        """Whether a label is to be told."""
        everything = not (self.include_labels or self.include_categories)
        included = everything or self._among(kind, self.include_labels, self.include_categories)
        return included and not self._among(kind, self.exclude_labels, self.exclude_categories)

    @staticmethod
    def _among(kind: Kind, names: frozenset[str], categories: frozenset[str]) -> bool:
        return kind.name in names or not categories.isdisjoint(kind.categories)


@dataclass(frozen=True, slots=True)
class Colour:
    """One dominant colour: its CSS name's nearest, `#rrggbb`, and its share of the pixels in [0, 1]."""

    name: str
    hex: str
    share: float


@dataclass(frozen=True, slots=True)
class Look:
    """How pixels look. Brightness, contrast and sharpness in [0, 1]; colours by share, most first."""

    brightness: float
    contrast: float
    sharpness: float
    colours: tuple[Colour, ...]
