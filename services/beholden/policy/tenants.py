"""The registry of tenants: what each organisation is, which no caller can say of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from beholden.core.errors import FailedPrecondition
from beholden.core.law import Json
from beholden.policy.moderation import Moderation


class Tenant(BaseModel):
    """One organisation."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    """What tokens name."""

    kind: str = Field(pattern=r"^[a-z][a-z_]{0,62}$")
    """A kind of organisation, from law/kinds."""

    name: str = Field(min_length=1, max_length=255)
    """For people."""

    jurisdiction: str = Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    """ISO 3166: a country, or one of its parts."""

    serves: list[str] = Field(default=[], max_length=16)
    """Kinds of organisation that it works for; their restrictions are its own."""

    moderation: Moderation = Moderation()
    """What it wants of moderation; the law is not told."""

    def facts(self) -> dict[str, Json]:
        """The record as the fact `tenant` (or `client`)."""
        return self.model_dump(exclude_defaults=True, exclude={"moderation"})


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    tenants: list[Tenant]


class _Loader(yaml.CSafeLoader):
    """YAML in which a key said twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"{', '.join(sorted(twice))} is said twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


def load_tenants(path: Path) -> Mapping[str, Tenant]:
    """Reads a registry: tenants by id, in the file's order.

    Raises FailedPrecondition, naming the place, for anything unexpected.
    """
    remedy = f"correct {path}"
    try:
        # _Loader is a SafeLoader.
        text = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506
        tenants = _File.model_validate(text).tenants
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FailedPrecondition(f"the tenant registry: {error}", remedy=remedy) from error
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}"
            for problem in error.errors()[:5]
        )
        raise FailedPrecondition(f"the tenant registry: {places}", remedy=remedy) from error
    ids = [tenant.id for tenant in tenants]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise FailedPrecondition(
            f"the tenant registry: {', '.join(twice)} is registered twice", remedy=remedy
        )
    return MappingProxyType({tenant.id: tenant for tenant in tenants})
