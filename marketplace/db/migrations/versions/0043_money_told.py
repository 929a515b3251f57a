"""A bank's number is looked up however it was typed; what cannot be signed is told."""

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.execute(r"""
        create index ix_bank_line_spelled on bank_line (upper(regexp_replace(bank_reference, '\s', '', 'g')))
    """)
