"""What a caller says of a call: why, where, for whom, by what leave, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

_YES_OR_NO = {True: "yes", False: "no", None: ""}


class Said(TypedDict, total=False):
    """Said on the client it holds for every call; said on a call it goes before that."""

    purpose: str
    """What for: "editorial_research", ..."""
    jurisdiction: str
    """Where, as ISO 3166: "US-WA", "IT"."""
    on_behalf_of: str
    """For whom: a tenant, or a kind of organisation."""
    case: str
    """The case it belongs to."""
    realtime: bool | None
    """Whether the pictures come as they are made."""
    public_space: bool | None
    """Whether they show a place open to the public."""
    authorisation: str
    """A court's or authority's signed JSON Web Token."""
    consent: str
    """The subject's consent, a signed JSON Web Token."""
    timeout: float | None
    """The call's deadline in seconds; None for none."""


_KNOWN = frozenset(Said.__annotations__)


def check(said: Mapping[str, object]) -> None:
    """Raises TypeError for what is not known here: a misspelt purpose must not pass for none."""
    if odd := [name for name in said if name not in _KNOWN]:
        raise TypeError(f"unknown argument {odd[0]!r}; known are {', '.join(sorted(_KNOWN))}")


def metadata(said: Said) -> list[tuple[str, str]]:
    """`said` as a call's metadata. Raises ValueError for what metadata cannot carry."""
    values: dict[str, Any] = {name: value for name, value in said.items() if name != "timeout"}
    found = []
    for name, value in values.items():
        text = _YES_OR_NO[value] if value is None or isinstance(value, bool) else value
        if not (text.isascii() and text.isprintable()):
            raise ValueError(f"{name} must be printable ASCII")
        if text:
            found.append((f"beholden-{name.replace('_', '-')}", text))
    return found


def bearer(token: str) -> list[tuple[str, str]]:
    """The metadata that says who calls; none for an empty token. Raises ValueError for no token."""
    if not (token.isascii() and token.isprintable()):
        raise ValueError("the token holds characters that no token has")
    return [("authorization", f"Bearer {token}")] if token else []
