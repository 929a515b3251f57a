"""Every decision is found by its id, and keeps a seed for the salts of its facts, one by one."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What earlier decisions stood on is of another form and goes: no key may be at hand here. The log stays."""
    op.execute("DELETE FROM decision")
    op.execute("""
        CREATE INDEX ix_event_decision ON event ((body ->> 'decision_id'))
        WHERE query_id IS NULL AND (body ->> 'decision_id') IS NOT NULL
    """)
