"""The index of what is listed (the text that was searched before goes), watches, demands."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

FREE = ("listing_search", "search_word", "watch", "watch_notice")
CHANGING = ("demand", "demand_vote")


def upgrade() -> None:
    """The background work fills it from what is listed."""
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in FREE:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SERVICE}")
    for table in CHANGING:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {SERVICE}")
