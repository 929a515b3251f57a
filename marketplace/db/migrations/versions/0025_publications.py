"""Publications by stages, their review, and versions that were taken back."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

INSERT_ONLY = ("publication_step", "version_withdrawal")
CHANGING = ("publication", "publication_stage")


def upgrade() -> None:
    """Nothing was on its way before."""
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
