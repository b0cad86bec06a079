"""What a caller declares about a call, as metadata: why, where, for whom, in which case, how."""

from __future__ import annotations

import re
from collections.abc import Sequence

from beholden.core.errors import InvalidArgument
from beholden.guard.authorities import KINDS
from beholden.guard.call import Metadata

_PREFIX = "beholden-"

_YES_OR_NO = (re.compile(r"(yes|no)?"), "yes or no")
_DECLARED = {
    "purpose": (re.compile(r"[a-z0-9_]{0,64}"), "at most 64 of a-z, 0-9 and '_'"),
    "jurisdiction": (re.compile(r"[A-Za-z0-9-]{0,64}"), "a code such as US-WA"),
    "on_behalf_of": (
        re.compile(r"[A-Za-z0-9_.:-]{0,255}"),
        "a tenant's id or a kind of organisation",
    ),
    "case": (re.compile(r"[ -~]{0,255}"), "at most 255 printable ASCII characters"),
    "realtime": _YES_OR_NO,
    "public_space": _YES_OR_NO,
}
YES_OR_NO = frozenset(name for name, rule in _DECLARED.items() if rule is _YES_OR_NO)
"""The declarations that are yes or no."""

_KEYS = {name: _PREFIX + name.replace("_", "-") for name in (*_DECLARED, *KINDS)}
_KNOWN = frozenset(_KEYS.values())


def declarations(metadata: Metadata) -> dict[str, str]:
    """Every declaration by its name in the facts, empty where not made.

    Raises InvalidArgument naming the metadata key, for one that is malformed or sent twice, and for
    one that is not known: a misspelt purpose must not pass for none.
    """
    for key in metadata:
        if key.startswith(_PREFIX) and key not in _KNOWN:
            raise InvalidArgument(key, f"is no declaration; known are {', '.join(sorted(_KNOWN))}")
    return {name: _one(metadata.get(_KEYS[name], ("",)), name) for name in _DECLARED}


def _one(values: Sequence[str | bytes], name: str) -> str:
    pattern, wanted = _DECLARED[name]
    if len(values) > 1:
        raise InvalidArgument(_KEYS[name], "must be sent once")
    value = values[0]
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise InvalidArgument(_KEYS[name], f"must be {wanted}")
