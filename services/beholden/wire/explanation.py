"""What a search says of its own answer, as a message."""

from __future__ import annotations

import json

from beholden.core.explanation import Explanation, FalsePositives
from beholden.v1 import search_pb2


def explanation(item: Explanation) -> search_pb2.SearchExplanation:
    """The whole of it."""
    return search_pb2.SearchExplanation(
        min_similarity=item.threshold.similarity,
        threshold_source=f"THRESHOLD_SOURCE_{item.threshold.source.value}",
        threshold_law=item.threshold.law,
        obligations=[
            search_pb2.AppliedObligation(kind=kind, value=json.dumps(value), law=law)
            for kind, value, law in item.obligations
        ],
        gallery_size=item.gallery,
        false_positives=_false_positives(item.false_positives),
        probe_problems=[f"UNINDEXED_REASON_{problem.value}" for problem in item.problems],
    )


def _false_positives(item: FalsePositives | None) -> search_pb2.FalsePositiveEstimate | None:
    if item is None:
        return None
    return search_pb2.FalsePositiveEstimate(
        rate=item.rate,
        at_most=item.at_most,
        gallery_size=item.gallery,
        pairs=item.pairs,
        false_matches=item.matches,
    )
