"""What a search says of its own answer, in words."""

from __future__ import annotations

from typing import Annotated

import typer

from beholden.cli.words import counted, safe, score
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
        f" {said.gallery_size:,} searched{_chance(said)}[/]"
    ]
    if said.probe_problems:
        names = [search_pb2.UnindexedReason.Name(one) for one in said.probe_problems]
        words = [name.removeprefix("UNINDEXED_REASON_").lower().replace("_", " ") for name in names]
        lines.append(f"[yellow]the face searched for is poor: {', '.join(words)}[/]")
    return lines


def _chance(said: search_pb2.SearchExplanation) -> str:
    if not said.HasField("false_positives") or not said.gallery_size:
        return ""
    found = said.false_positives
    among = counted(found.gallery_size, "stranger")
    most = f"at most {found.at_most:.2g}"
    chance = f"about {found.rate:.2g}, {most}" if found.false_matches else most
    return f"; the chance that one of {among} is found: {chance}"
