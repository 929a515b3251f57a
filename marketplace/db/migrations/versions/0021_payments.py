"""Money in: top-ups, payments, refunds, disputes, the provider's events, bank lines."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None

RECORDED = "payment, provider_event"
KEPT = "payment_account, saved_method, top_up, refund, dispute, bank_line"


def upgrade() -> None:
    """What arrived and what we were told of is insert-only; orders and what follows change their state."""
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in RECORDED.split(", "):
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(f"GRANT SELECT, INSERT ON {RECORDED} TO {SERVICE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {KEPT} TO {SERVICE}")
