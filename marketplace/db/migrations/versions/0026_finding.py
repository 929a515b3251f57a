"""The index of what is listed; the text that was searched before goes."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

DERIVED = ("listing_search", "search_word")


def upgrade() -> None:
    """The background work fills it from what is listed."""
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in DERIVED:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SERVICE}")
