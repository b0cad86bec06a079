"""What can be told here: every label that a tenant may meet, and the models that tell it or would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from beholden.core.errors import FailedPrecondition
from beholden.core.models import ModelSpec
from beholden.core.moderation import BLOCKLISTED, CUSTOM, Blocklist, LabelSource, ModerationTaxonomy
from beholden.core.ports import TextReader
from beholden.moderation.custom import Taught


class Coverage(Enum):
    """How much of a label is told; the names are the proto enum's, less its prefix."""

    COVERED = "COVERED"
    PARTLY = "PARTLY"
    NOT_COVERED = "NOT_COVERED"


@dataclass(frozen=True, slots=True)
class Covered:
    """One label.

    `candidates` are models that are not served and would tell it, or one below it; `taught` is what is
    known of a label by its examples.
    """

    name: str
    parents: tuple[str, ...]
    coverage: Coverage
    models: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    source: LabelSource = LabelSource.TAXONOMY
    taught: Taught | None = None


def of_taxonomy(taxonomy: ModerationTaxonomy, served: Sequence[ModelSpec]) -> list[Covered]:
    """Every label in the taxonomy's order. One told only through labels below it is partly covered."""
    ids: Mapping[str, str] = {model.name: model.id for model in served}
    found = []
    for kind in taxonomy.kinds:
        within = [other for other in taxonomy.kinds if other is kind or kind.name in other.parents]
        named = tuple(dict.fromkeys(model for other in within for model in other.classes))
        telling = tuple(ids[name] for name in named if name in ids)
        if ids.keys() & kind.classes.keys():
            coverage = Coverage.COVERED
        else:
            coverage = Coverage.PARTLY if telling else Coverage.NOT_COVERED
        missing = tuple(name for name in named if name not in ids)
        found.append(Covered(kind.name, kind.parents, coverage, telling, missing))
    return found


def of_blocklists(lists: Sequence[Blocklist], reader: TextReader) -> list[Covered]:
    """A tenant's lists under the label above them; nothing where it has none."""
    if not lists:
        return []
    try:
        models = tuple(model.id for model in reader.models)
    except FailedPrecondition:
        models = ()
    told = Coverage.COVERED if models else Coverage.NOT_COVERED
    above = Covered(BLOCKLISTED, (), told, models, source=LabelSource.BLOCKLIST)
    return [above, *(replace(above, name=one.name, parents=(BLOCKLISTED,)) for one in lists)]


def of_custom(taught: Sequence[Taught], model: ModelSpec) -> list[Covered]:
    """A tenant's own labels under the label above them; one without a curve is not told."""
    own = [
        Covered(
            name=one.label,
            parents=(CUSTOM,),
            coverage=Coverage.COVERED if one.curve else Coverage.NOT_COVERED,
            models=(model.id,) if one.curve else (),
            source=LabelSource.CUSTOM,
            taught=one,
        )
        for one in taught
    ]
    told = Coverage.PARTLY if any(one.curve for one in taught) else Coverage.NOT_COVERED
    models = tuple({model: None for one in own for model in one.models})
    return [Covered(CUSTOM, (), told, models, source=LabelSource.CUSTOM), *own]
