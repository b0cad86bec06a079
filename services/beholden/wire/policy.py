"""What a candidate law would change, as messages."""

from __future__ import annotations

from beholden.core.law import ShadowStatus
from beholden.v1 import governance_pb2
from beholden.wire.gallery import timestamp

_MOST_DIFFERENCES = 1000


def shadow_status(status: ShadowStatus) -> governance_pb2.ShadowStatus:
    """The status with its first thousand differences."""
    return governance_pb2.ShadowStatus(
        revision=status.revision,
        start_time=timestamp(status.since_ns),
        compared_count=status.compared,
        dropped_count=status.dropped,
        failed_count=status.failed,
        differences=[
            governance_pb2.ShadowDifference(
                change=one.change,
                tenant=one.tenant,
                action=one.action,
                laws=one.laws,
                count=one.count,
                decision_ids=one.examples,
            )
            for one in status.differences[:_MOST_DIFFERENCES]
        ],
        problem=status.problem,
    )
