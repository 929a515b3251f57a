"""What was found of versions, what is overdue, which promises broke and what they gave back."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INSERT_ONLY = ("quality_check", "quality_overdue", "quality_breach", "quality_credit")


def upgrade() -> None:
    """Nothing was judged before."""
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {SERVICE}")
