"""The ledger's entries and what a verification found, as messages."""

from __future__ import annotations

from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from beholden.core.record import Entry, Verification
from beholden.v1 import governance_pb2
from beholden.wire.gallery import timestamp

_MOST_BREACHES = 100


def ledger_record(entry: Entry) -> governance_pb2.LedgerRecord:
    """An entry with all that was written down."""
    record = entry.record
    return governance_pb2.LedgerRecord(
        decision_id=record.id,
        kind=record.kind,
        time=timestamp(record.time_ns),
        principal=record.principal,
        action=record.action,
        allowed=record.allowed,
        body=ParseDict(dict(record.body), Struct()),
        writer=entry.writer,
        sequence=entry.sequence,
        hash=entry.hash,
    )


def verification(found: Verification) -> governance_pb2.VerifyLedgerResponse:
    """What reading the whole ledger found, with its first hundred breaches."""
    return governance_pb2.VerifyLedgerResponse(
        holds=found.holds,
        entry_count=found.entries,
        writer_count=found.writers,
        head=found.head,
        breaches=[
            governance_pb2.LedgerBreach(
                writer=breach.writer, sequence=breach.sequence, problem=breach.problem
            )
            for breach in found.breaches[:_MOST_BREACHES]
        ],
        checkpoint_count=found.checkpoints,
        covered_entry_count=found.covered,
        checkpoint=found.checkpoint,
    )
