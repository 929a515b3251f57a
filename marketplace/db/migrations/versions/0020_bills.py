"""Bills: the account of the tax in prices."""

from __future__ import annotations

from uuid import UUID, uuid5

from alembic import op

revision = "0020"
down_revision = "0014"
branch_labels = None
depends_on = None

ACCOUNTS = UUID("5d1a0000-0000-8000-8000-acc000000000")
NEW_ACCOUNTS = ("vat",)
"""A home that has charged queries goes on charging them; a new one opens its accounts with its first party."""


def upgrade() -> None:
    """What was charged before has no tax set aside; its invoice does it."""
    for kind in NEW_ACCOUNTS:
        op.execute(
            "INSERT INTO account (id, organisation_id, kind, currency, floor, created_at) "
            f"SELECT '{uuid5(ACCOUNTS, f'None/{kind}/VND')}', NULL, '{kind}', 'VND', NULL, now() "
            "WHERE EXISTS (SELECT FROM account WHERE kind = 'platform') ON CONFLICT DO NOTHING"
        )
