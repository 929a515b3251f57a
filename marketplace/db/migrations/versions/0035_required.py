"""What must hold of a statement's rows, judged where they are: else nothing that travels with it stands."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """`marketplace.db.together.required` calls it and knows its code."""
    op.execute("""
        CREATE FUNCTION required(holds boolean) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF holds IS NOT TRUE THEN
                RAISE EXCEPTION 'not as required' USING ERRCODE = 'SD001';
            END IF;
        END
        $$
    """)
