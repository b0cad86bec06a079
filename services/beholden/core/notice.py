"""Notices: what an authority is told of a decision, once the law asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from beholden.core.law import Json

NOTIFY = "notify"
"""The kind of obligation that owes a notice; its value names who is told."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `id` begins with that of its decision; times are Unix nanoseconds.

    `body` is what is told: no picture, template, name or case. `problem` is why the last of the
    `attempts` did not come through; `delivered_ns` is 0 until one did.
    """

    id: str
    tenant: str
    created_ns: int
    body: Mapping[str, Json]
    attempts: int = 0
    problem: str = ""
    delivered_ns: int = 0
