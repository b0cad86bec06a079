"""The append-only, hash-chained account of every decision and outcome, over SQLAlchemy."""
