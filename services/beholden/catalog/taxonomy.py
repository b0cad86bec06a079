"""Reads `models/taxonomy.yaml`: what labels are called and how they hang together."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from beholden.core.errors import InvalidArgument
from beholden.core.labels import Kind, Taxonomy


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid")

    above: tuple[str, ...] = Field(default=(), alias="in")
    category: str = ""
    aliases: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


_DOCUMENT = TypeAdapter(dict[str, _Node])


def load_taxonomy(path: Path) -> Taxonomy:
    """The taxonomy at `path`; the file itself says how it is written.

    Raises:
        InvalidArgument: the file cannot be read or says something wrong; names the place.
    """
    try:
        nodes = _DOCUMENT.validate_python(yaml.load(path.read_bytes(), yaml.CSafeLoader))
        kinds = [kind for name in nodes for kind in _kinds(name, nodes)]
        return Taxonomy(kinds)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidArgument(place or "taxonomy", f"{first['msg']} (in {path})") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidArgument("taxonomy", f"cannot read {path}: {error}") from error


def _kinds(name: str, nodes: dict[str, _Node]) -> list[Kind]:
    """The label `name` and those of its `kinds`."""
    above, category = _above(name, nodes, ())
    categories = (category,) if category else ()
    node = nodes[name]
    leaves = [[part.strip() for part in leaf.split("|")] for leaf in node.kinds]
    return [
        Kind(name, node.aliases, above, categories),
        *(Kind(leaf, tuple(aliases), (name, *above), categories) for leaf, *aliases in leaves),
    ]


def _above(
    name: str, nodes: dict[str, _Node], below: tuple[str, ...]
) -> tuple[tuple[str, ...], str]:
    """Every label above `name`, the nearest first, and its category."""
    if name in below:
        raise ValueError(f"{name} is a kind of itself")
    if name not in nodes:
        raise ValueError(f"{below[-1]} is a kind of {name}, which is not there")
    node = nodes[name]
    further = [_above(parent, nodes, (*below, name)) for parent in node.above]
    names = dict.fromkeys((*node.above, *(one for above, _ in further for one in above)))
    return tuple(names), node.category or next((found for _, found in further if found), "")
