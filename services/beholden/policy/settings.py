"""What an operator may set about the policy engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from beholden.policy.facts import FactLimits


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """The same for every engine, except where a field says otherwise."""

    threads: int = 4
    """How many calls are decided at once; more wait their turn."""

    timeout: float = 5.0
    """Seconds after which a decision that has not come is Unavailable, the wait for a turn included."""

    limits: FactLimits = field(default_factory=FactLimits)
    """How large the facts of one call may be."""

    watch: float = 0.25
    """Rego in process: seconds between two looks whether the law's files changed; 0 looks never."""

    key: Path | None = None
    """Rego in process: the public key (PEM) that must have signed the bundle; a folder is then refused."""

    shadow: Path | None = None
    """A candidate law, a folder or a bundle, to be asked beside the one in force; nothing of it is done."""

    build_timeout: float = 60.0
    """Rego in process: seconds after which a law that is still being compiled is given up."""

    opa_timeout: float = 2.0
    """OPA: seconds for one answer, once it is asked."""

    opa_watch: float = 0.5
    """OPA: seconds between two looks whether it has another law, while streams or jobs wait for one."""

    opa_token: str = field(default="", repr=False)
    """OPA: the bearer token that its REST API wants, empty where it wants none."""

    opa_failures: int = 5
    """OPA: after so many failures in a row it is not asked for `opa_pause` seconds."""

    opa_pause: float = 1.0
    """OPA: how long it is left alone then; every call is refused meanwhile."""
