"""When the law wants a job gone."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the column; those that are there were begun without such a time."""
    op.add_column("jobs", sa.Column("delete_ns", sa.BigInteger, nullable=False, server_default="0"))
