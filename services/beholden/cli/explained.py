"""What a search says of its own answer, in words."""

from __future__ import annotations

from typing import Annotated

import typer

from beholden.cli.words import safe, score
from beholden.v1 import search_pb2

GoodProbe = Annotated[
    bool,
    typer.Option(
        "--good-probe", help="Refuse to search for a face that is small, dark, blurred or turned."
    ),
]

_SOURCES = {
    search_pb2.THRESHOLD_SOURCE_DEFAULT: "the default",
    search_pb2.THRESHOLD_SOURCE_REQUEST: "as asked",
    search_pb2.THRESHOLD_SOURCE_OBLIGATION: "as the law asks",
}


def quality_filter(good_probe: bool) -> search_pb2.QualityFilter:
    """As the API has it."""
    return search_pb2.QUALITY_FILTER_AUTO if good_probe else search_pb2.QUALITY_FILTER_NONE


def margin(candidate: search_pb2.Candidate | search_pb2.PersonCandidate) -> str:
    """By how much it leads; empty where there is no other."""
    return f"+{score(max(0.0, candidate.margin))}" if candidate.HasField("margin") else ""


def notes(said: search_pb2.SearchExplanation) -> list[str]:
    """Lines for people: the threshold, what a hit means among so many, what is wrong with the probe."""
    source = _SOURCES.get(said.threshold_source, "")
    law = f" ({safe(said.threshold_law)})" if said.threshold_law else ""
    lines = [
        f"[dim]at least {score(said.min_similarity, 2)}, {source}{law};"
        f" {said.gallery_size:,} searched[/]"
    ]
    if said.HasField("false_positives") and said.gallery_size:
        lines.append(f"[dim]{_chance(said.false_positives)}[/]")
    if said.probe_problems:
        names = [search_pb2.UnindexedReason.Name(one) for one in said.probe_problems]
        words = [name.removeprefix("UNINDEXED_REASON_").lower().replace("_", " ") for name in names]
        lines.append(f"[yellow]the face searched for is poor: {', '.join(words)}[/]")
    return lines


def _chance(found: search_pb2.FalsePositiveEstimate) -> str:
    most = f"at most {100 * found.at_most:.2g} %"
    often = f"about {100 * found.rate:.2g} %, {most}" if found.false_matches else most
    return f"were all of them strangers, one would still be found in {often} of searches"
