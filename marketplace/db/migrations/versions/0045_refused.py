"""Refusals of the log's witnesses are found by their time."""

from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.execute("create index ix_event_refusals on event (at) where name = 'log:witness_refuse'")
