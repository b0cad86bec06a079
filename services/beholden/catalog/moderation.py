"""Reads `models/moderation.yaml`: what unsafe content is called, and which models speak for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from beholden.catalog.entries import Catalog
from beholden.core.errors import InvalidArgument
from beholden.core.moderation import ModerationKind, ModerationTaxonomy

_Classes = dict[str, tuple[str, ...]]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Node(_Value):
    told_by: _Classes = {}
    below: dict[str, _Node] = {}


class _Document(_Value):
    labels: dict[str, _Node]
    content_types: dict[str, _Classes] = {}


def load_moderation(path: Path, catalog: Catalog) -> ModerationTaxonomy:
    """The taxonomy at `path`; the file itself says how it is written.

    Raises:
        InvalidArgument: the file cannot be read or says something wrong, or names a model or class
            that `catalog` does not have; names the place.
    """
    try:
        document = _Document.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        kinds = tuple(_kinds(document.labels, ()))
        taxonomy = ModerationTaxonomy(kinds, document.content_types)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidArgument(place or "moderation", f"{first['msg']} (in {path})") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidArgument("moderation", f"cannot read {path}: {error}") from error
    named = {kind.name: kind.classes for kind in kinds} | document.content_types
    for label, classes in named.items():
        _check(label, classes, catalog, path)
    return taxonomy


def _kinds(nodes: Mapping[str, _Node], parents: tuple[str, ...]) -> Iterator[ModerationKind]:
    for name, node in nodes.items():
        yield ModerationKind(name, parents, node.told_by)
        yield from _kinds(node.below, (name, *parents))


def _check(
    label: str, classes: Mapping[str, tuple[str, ...]], catalog: Catalog, path: Path
) -> None:
    known = {entry.name: entry.labels for entry in catalog.models}
    for model, names in classes.items():
        if model not in known:
            raise InvalidArgument(label, f"no model of the catalogue is called {model} (in {path})")
        if odd := [name for name in names if name not in known[model]]:
            raise InvalidArgument(label, f"{model} has no class {odd[0]!r} (in {path})")
