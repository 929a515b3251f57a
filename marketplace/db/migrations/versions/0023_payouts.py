"""Where owners are paid, batches of payouts, and the bank's notices."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

INSERT_ONLY = ("payout_account", "payout_notice")
CHANGING = ("payout_batch", "payout")


def upgrade() -> None:
    """Nobody was paid before."""
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {SERVICE}")
    for table in CHANGING:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {SERVICE}")
