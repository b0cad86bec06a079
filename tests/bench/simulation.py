"""`python -m tests.bench.simulation`: how long a candidate law takes over a million recorded decisions.

Random calls of every tenant, purpose and action, a year of them, are decided under the law in force and
written as an export; `beholden policy simulate` replays it under a law whose exemption has run out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

from rich.progress import track

from beholden.cli import main as beholden
from beholden.core.law import Decision
from beholden.policy.rego import RegoEngine
from beholden.policy.settings import PolicySettings
from tests.contract.policy_engines import law
from tests.contract.policy_facts import random_facts
from tests.house import ROOT

BEGIN = datetime(2025, 11, 22, tzinfo=UTC)


def calls(kinds: int) -> tuple[list[dict[str, Any]], list[Decision]]:
    """So many different calls, and what is decided about each on the first day."""
    source = random.Random(7)
    drawn = (random_facts(source) | {"time": _instant(0)} for _ in range(2 * kinds))
    asked = [one for one in drawn if _sound(one)][:kinds]

    async def decide() -> list[Decision]:
        engine = RegoEngine(law, PolicySettings())
        await engine.reload()
        try:
            return [await engine.decide(facts) for facts in track(asked, "deciding")]
        finally:
            await engine.close()

    return asked, asyncio.run(decide())


def lines(
    count: int, asked: Sequence[dict[str, Any]], decided: Sequence[Decision]
) -> Iterator[dict[str, Any]]:
    """An export of `count` decisions, as far as a simulation reads it."""
    source = random.Random(8)
    yield {"line": "ledger", "format": "beholden-ledger-1"}
    for number in range(count):
        chosen = source.randrange(len(asked))
        facts, decision = asked[chosen], decided[chosen]
        instant = _instant(365 * 86_400 * number // count)
        said = {
            "allowed": decision.allowed,
            "reasons": [{"law": one.law, "code": one.code} for one in decision.reasons],
            "obligations": [
                {"kind": one.kind, "value": one.value, "law": one.law}
                for one in decision.obligations
            ],
        }
        yield {
            "line": "entry", "writer": "bench", "sequence": number + 1, "id": f"d{number}",
            "kind": "decision", "time_ns": instant["ns"], "tenant": facts["tenant"].get("id", ""),
            "principal": "ann", "action": str(facts["action"]), "allowed": decision.allowed,
            "body": {"decision": said, "facts": facts | {"time": instant}},
            "previous": "", "hash": "",
        }  # fmt: skip


def _sound(facts: dict[str, Any]) -> bool:
    """Whether the guard could have gathered them; some of the random ones are spoiled."""
    tenant, action = facts.get("tenant"), facts.get("action")
    return isinstance(tenant, dict) and isinstance(tenant.get("id"), str) and bool(action)


def _instant(seconds: int) -> dict[str, Any]:
    now = BEGIN + timedelta(seconds=seconds)
    return {"now": now.isoformat().replace("+00:00", "Z"), "ns": int(now.timestamp()) * 10**9}


def main() -> None:
    """Writes, replays, and says how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--kinds", type=int, default=2000, help="different calls among them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export, candidate = Path(folder) / "export.jsonl", Path(folder) / "candidate"
        copytree(ROOT / "policies", candidate)
        exemptions = candidate / "law" / "exemptions" / "data.json"
        exemptions.write_text(exemptions.read_text().replace("2027-06-10", "2026-01-01"))
        with export.open("w") as out:
            every = lines(options.records, *calls(options.kinds))
            for line in track(every, "writing", options.records + 1):
                out.write(json.dumps(line) + "\n")
        begin = time.perf_counter()
        beholden(["policy", "simulate", "--law", str(candidate), "--ledger", str(export)])
        seconds = time.perf_counter() - begin
        print(
            f"{options.records:,} decisions in {seconds:.0f} s, {options.records / seconds:,.0f}/s"
        )


if __name__ == "__main__":
    main()
