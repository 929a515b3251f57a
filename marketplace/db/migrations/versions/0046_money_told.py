"""Odd lines of the bank's file, and what the daily reconciliation found, are found by their time."""

from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.execute("create index ix_event_odd on event (at) where name = 'payout:odd'")
    op.execute("create index ix_event_reconciled on event (at) where name = 'ledger:reconcile'")
