"""Writers and entries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the two tables and their indexes."""
    op.create_table(
        "ledger_writers",
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("witnessed_sequence", sa.BigInteger, nullable=False),
        sa.Column("witnessed_hash", sa.String(64), nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("writer", sa.String(32), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("time_ns", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column(
            "allowed", sa.Boolean(create_constraint=True, name="ledger_allowed"), nullable=False
        ),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    place = ["tenant", "time_ns", "writer", "sequence"]
    denied = sa.text("NOT allowed")
    op.create_index("ledger_entries_by_id", "ledger_entries", ["id"])
    op.create_index("ledger_entries_by_tenant", "ledger_entries", place)
    op.create_index(
        "ledger_entries_denied",
        "ledger_entries",
        place,
        sqlite_where=denied,
        postgresql_where=denied,
    )
