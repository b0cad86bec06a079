"""Jobs and what they found."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the two tables."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("caller", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("chunk", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("checkpoint", sa.LargeBinary),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("lease_ns", sa.BigInteger, nullable=False),
        sa.Column("wait_ns", sa.BigInteger, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("claimed_ns", sa.BigInteger, nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("tenant", "request_id", name="jobs_by_request"),
    )
    op.create_index("jobs_by_tenant", "jobs", ["tenant", "created_ns", "id"])
    op.create_index("jobs_by_state", "jobs", ["state", "lease_ns"])
    op.create_table(
        "job_annotations",
        sa.Column("job", sa.String(36), primary_key=True),
        sa.Column("chunk", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("span", sa.Boolean, nullable=False),
        sa.Column("feature", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "job_annotations_by_time",
        "job_annotations",
        ["job", "span", "start_us", "chunk", "ordinal"],
    )
