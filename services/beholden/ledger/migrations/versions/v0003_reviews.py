"""Reviews and the opinions given on them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the two tables."""
    op.create_table(
        "reviews",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("law", sa.Text, nullable=False),
        sa.Column("reviewers", sa.Integer, nullable=False),
        sa.Column("candidates", sa.Integer, nullable=False),
        sa.Column("media", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("answer_type", sa.Text, nullable=False),
        sa.Column("answer_list", sa.Text, nullable=False),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_index("reviews_by_tenant", "reviews", ["tenant", "created_ns", "id"])
    op.create_index("reviews_by_expiry", "reviews", ["expires_ns"])
    op.create_table(
        "review_opinions",
        sa.Column("review", sa.Text, primary_key=True),
        sa.Column("reviewer", sa.Text, primary_key=True),
        sa.Column("time_ns", sa.BigInteger, nullable=False),
        sa.Column("confirmed", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
