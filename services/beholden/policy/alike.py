"""Which facts a law cannot tell apart, so that of a million calls only the different ones are decided."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from beholden.policy.law import Law

_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

# All that the shipped rules do with the time: look at its shape, and compare it with dates.
_HARMLESS = (
    "is_number(input.time.ns)",
    "is_string(input.time.now)",
    "count(input.time.now) == 20",
    'dates.shape(input.time.now) == "0000-00-00T00:00:00Z"',
    "date <= input.time.now",
    "input.time.now < date",
)
_CLOCKS = re.compile(
    r"input\.time|input\[\"time|\btime\.|input\.principal\.id|\bwith input\b|:= input$",
    re.MULTILINE,
)
# The facts as a whole, or one that is named only as it runs: it could be the time, and is harmless
# only where nothing but its type, its presence or a word is asked of it.
_WHOLE = re.compile(r"\binput\b(?!\.[a-z_])")
_HARMLESS_WHOLE = re.compile(
    r"is_[a-z]+\(input\[[a-z_]+\]\)"
    r'|input\[[a-z_]+\] [!=]= "[^"\n]*"'
    r'|input\[[a-z_]+\] in \{"[^}\n]*"\}'
    r"|object\.keys\(input\)"
    r"|input\[[a-z_]+\]\.(?!ns\b|now\b)[a-z_]+"
    r'|object\.get\(input(?:\[[a-z_]+\])?, "(?!time|principal|ns|now|id)[a-z_]+",'
    r'|input\["(?!time|principal|request)[a-z_]+"\]'
)
_LITERAL = re.compile(r'"(\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?)"')
_REQUEST = re.compile(
    r'input\.request\.([a-z_]+)|object\.get\(input\.request, "([a-z_]+)"'
    r'|"([a-z_]+)" in object\.keys\(input\.request\)'
)
_PRINCIPAL = "named(input.principal.id)"


class Alike:
    """Says of facts what the law can see of them; where its rules could see more, all of it."""

    def __init__(self, law: Law) -> None:
        modules = "\n".join(law.modules.values())
        for harmless in (*_HARMLESS, _PRINCIPAL):
            modules = modules.replace(harmless, "")
        code = re.sub(r"(?m)^\s*#.*$", "", modules)
        self._dates = sorted([*_dates(law.data), *_LITERAL.findall(code)])
        whole = _WHOLE.search(_HARMLESS_WHOLE.sub("", code))
        self._only_dates = whole is None and _CLOCKS.search(code) is None
        self._asked = {"".join(names) for names in _REQUEST.findall(code)}
        self._all_asked = re.search(r"input\.request|input\[\"request", _REQUEST.sub("", code))

    def key(self, facts: Mapping[str, Any]) -> str:
        """Equal for facts on which the decision must be the same."""
        now = facts["time"].get("now") if isinstance(facts.get("time"), Mapping) else None
        principal = facts.get("principal")
        seen = dict(facts)
        if self._only_dates and isinstance(now, str) and _INSTANT.fullmatch(now):
            whole = isinstance(facts["time"].get("ns"), int)
            own = sorted(_dates({**facts, "time": {}}))
            seen["time"] = [bisect_right(self._dates, now), bisect_right(own, now), whole]
            if isinstance(principal, Mapping) and isinstance(principal.get("id"), str):
                seen["principal"] = {**principal, "id": bool(principal["id"])}
            request = facts.get("request")
            if isinstance(request, Mapping) and not self._all_asked:
                seen["request"] = {name: request[name] for name in request if name in self._asked}
        return json.dumps(seen, sort_keys=True)


def _dates(value: Any) -> Iterator[str]:
    """Every date in it, as text: `date <= now` is a comparison of texts."""
    if isinstance(value, str):
        if _DATE.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _dates(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _dates(one)
