"""Bills: invoices and credit notes with their lines; the account of the tax in prices."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid5

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ACCOUNTS = UUID("5d1a0000-0000-8000-8000-acc000000000")
NEW_ACCOUNTS = ("vat",)
"""A home that has charged queries goes on charging them; a new one opens its accounts with its first party."""
INSERT_ONLY = ("invoice", "invoice_line", "invoice_item", "credit_item")
CHANGING = ("credit", "einvoice")


def upgrade() -> None:
    """What was charged before has no tax set aside; its invoice does it."""
    for kind in NEW_ACCOUNTS:
        op.execute(
            "INSERT INTO account (id, organisation_id, kind, currency, floor, created_at) "
            f"SELECT '{uuid5(ACCOUNTS, f'None/{kind}/VND')}', NULL, '{kind}', 'VND', NULL, now() "
            "WHERE EXISTS (SELECT FROM account WHERE kind = 'platform') ON CONFLICT DO NOTHING"
        )
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
