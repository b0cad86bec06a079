"""Data that a package wraps in a JavaScript module: read as data, never run."""

from __future__ import annotations

import json
import re
from typing import Any

from beholden.catalog.convert.graph import ConversionError

_EXPORT = re.compile(r"""\bexports=(?=["{\[])""")

_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")|!(?P<flag>[01])|(?P<key>[A-Za-z_$][\w$]*)(?=:)|(?<!\d)(?P<point>\.)'
)


def exported(module: str) -> Any:
    """The literal that a minified CommonJS module exports.

    Knows what a minifier makes of JSON: bare keys, `!0` and `!1`, numbers without a leading zero.

    Raises:
        ConversionError: the module exports something else.
    """
    start = _EXPORT.search(module)
    if start is None:
        raise ConversionError("a JavaScript module that exports no literal")
    try:
        value, _ = json.JSONDecoder().raw_decode(_TOKEN.sub(_as_json, module[start.end() :]))
    except json.JSONDecodeError as error:
        raise ConversionError(f"a JavaScript module that exports no literal: {error}") from error
    return value


def _as_json(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "flag":
            return "true" if token["flag"] == "0" else "false"
        case "key":
            return f'"{token["key"]}"'
        case "point":
            return "0."
    return token[0]
