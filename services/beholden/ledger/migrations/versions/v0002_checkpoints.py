"""Checkpoints and their spans."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the two tables; entries that are there are covered by the next checkpoint."""
    op.create_table(
        "ledger_checkpoints",
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("time_ns", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("writers", sa.Integer, nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("dropped", sa.Integer, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
    )
    op.create_table(
        "ledger_spans",
        sa.Column("writer", sa.String(32), primary_key=True),
        sa.Column("checkpoint", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
    )
    op.create_index("ledger_spans_by_checkpoint", "ledger_spans", ["checkpoint"])
