"""The proof that one record is in the ledger, which anybody can check with the public key alone.

It holds the entry, the digests that lead from it to the root of its span, and the signed checkpoint
that states the span. Of the other records it shows nothing but hashes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from beholden.core.errors import InvalidArgument
from beholden.core.law import Json
from beholden.core.record import Entry, Record
from beholden.ledger.chain import intact
from beholden.ledger.checkpoint import Checkpoint, Span, check_signature, leaf
from beholden.ledger.fields import taken
from beholden.ledger.keys import TrustedKeys
from beholden.ledger.merkle import root_from_path

FORMAT = "beholden-ledger-proof-1"

_PROOF = {"format": str, "entry": dict, "path": list, "checkpoint": dict}
_RECORD: dict[str, type] = {
    "id": str,
    "kind": str,
    "time_ns": int,
    "tenant": str,
    "principal": str,
    "action": str,
    "allowed": bool,
}
_ENTRY = {**_RECORD, "writer": str, "sequence": int, "previous": str, "hash": str, "body": str}
_SPAN = {"writer": str, "first": int, "last": int, "head": str, "root": str}
_CHECKPOINT: dict[str, type] = {
    "ordinal": int,
    "previous": str,
    "time_ns": int,
    "entries": int,
    "writers": int,
    "link": str,
    "dropped": int,
    "spans": list,
    "key": str,
    "signature": str,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """`body` is the record's body as stored (`entry` need not hold it); `path` is hex, nearest first."""

    entry: Entry
    body: str
    path: tuple[str, ...]
    checkpoint: Checkpoint

    def document(self) -> dict[str, Any]:
        """As JSON; the body is the very text that is hashed."""
        record = {name: getattr(self.entry.record, name) for name in _RECORD}
        place = {
            name: getattr(self.entry, name) for name in ("writer", "sequence", "previous", "hash")
        }
        return {
            "format": FORMAT,
            "entry": {**place, **record, "body": self.body},
            "path": list(self.path),
            "checkpoint": {
                **asdict(self.checkpoint),
                "spans": [asdict(span) for span in self.checkpoint.spans],
            },
        }


def read_proof(document: Json) -> Proof:
    """Raises InvalidArgument naming what is no proof's."""
    proof = taken(_PROOF, document, "proof")
    if proof["format"] != FORMAT:
        raise InvalidArgument("proof.format", f"must be {FORMAT}")
    entry = taken(_ENTRY, proof["entry"], "proof.entry")
    body = _body(entry["body"])
    if not all(isinstance(digest, str) for digest in proof["path"]):
        raise InvalidArgument("proof.path", "must be a list of digests in hex")
    return Proof(
        entry=Entry(
            writer=entry["writer"],
            sequence=entry["sequence"],
            record=Record(**{name: entry[name] for name in _RECORD}, body=body),
            previous=entry["previous"],
            hash=entry["hash"],
        ),
        body=entry["body"],
        path=tuple(proof["path"]),
        checkpoint=read_checkpoint_document(proof["checkpoint"], "proof.checkpoint"),
    )


def read_checkpoint_document(document: Json, where: str) -> Checkpoint:
    """A checkpoint from its JSON. Raises InvalidArgument."""
    fields = taken(_CHECKPOINT, document, where)
    spans = [Span(**taken(_SPAN, span, f"{where}.spans")) for span in fields.pop("spans")]
    return Checkpoint(**fields, spans=tuple(spans))


def check_proof(proof: Proof, keys: TrustedKeys) -> tuple[str, ...]:
    """What is wrong with it; nothing where the record is in the ledger that the key's owner signed."""
    problems = []
    if wrong := check_signature(proof.checkpoint, keys):
        problems.append(f"the checkpoint {wrong}")
    if not intact(proof.entry, proof.body):
        problems.append("the record is not the one that was hashed")
    if not _leads_to_root(proof):
        problems.append("the record is not among those that the checkpoint covers")
    return tuple(problems)


def span_of(checkpoint: Checkpoint, writer: str, sequence: int) -> Span | None:
    """The checkpoint's span that an entry is in."""
    for span in checkpoint.spans:
        if span.writer == writer and span.first <= sequence <= span.last:
            return span
    return None


def _leads_to_root(proof: Proof) -> bool:
    entry = proof.entry
    span = span_of(proof.checkpoint, entry.writer, entry.sequence)
    if span is None:
        return False
    try:
        root = root_from_path(
            leaf(entry.writer, entry.sequence, entry.hash),
            entry.sequence - span.first,
            span.last - span.first + 1,
            [bytes.fromhex(digest) for digest in proof.path],
        )
    except ValueError:
        return False
    return root.hex() == span.root


def _body(text: str) -> dict[str, Json]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise InvalidArgument("proof.entry.body", "must be an object's JSON, as text")
    return body
