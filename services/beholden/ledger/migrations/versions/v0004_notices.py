"""Notices that authorities are owed, and what evidence a withheld answer rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes the table and the column."""
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("delivered_ns", sa.BigInteger),
    )
    op.create_index(
        "notices_due",
        "notices",
        ["due_ns"],
        sqlite_where=sa.text("delivered_ns IS NULL"),
        postgresql_where=sa.text("delivered_ns IS NULL"),
    )
    op.create_index("notices_by_time", "notices", ["created_ns", "id"])
    op.add_column("reviews", sa.Column("rests_on", sa.Text, nullable=False, server_default="[]"))
