"""The operator's settings from the environment, with a wrong one named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beholden.cli.failures import Failure

if TYPE_CHECKING:
    from beholden.runtime.settings import Settings


def settings(**overrides: object) -> Settings:
    """What the environment says, `overrides` before it where they are not None or empty.

    Raises:
        Failure: a setting is wrong; names its environment variable.
    """
    from pydantic import ValidationError

    from beholden.runtime.settings import Settings

    try:
        return Settings(**{name: value for name, value in overrides.items() if value})  # type: ignore[arg-type]
    except ValidationError as error:
        raise Failure(
            "a setting is wrong",
            "INVALID_ARGUMENT",
            fields=tuple(
                ("BEHOLDEN_" + "__".join(map(str, item["loc"])).upper(), item["msg"])
                for item in error.errors()
            ),
        ) from None
