"""The close of each month, owners' statements of it, later editions of invoices, payouts by Stripe."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INSERT_ONLY = ("owner_statement", "invoice_edition")


def upgrade() -> None:
    """Months that people closed are gone through again: each step of theirs finds its work done."""
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {SERVICE}")
    for table in ("month_step", "payout_transfer", "outside_point"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {SERVICE}")
