"""The first tables, the service's role and what it may not do."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSERT_ONLY = (
    "transfer", "usage", "event", "consent_event", "excluded_cohort", "audit_leaf", "audit_node", "checkpoint",
)  # fmt: skip


def upgrade() -> None:
    """Tables, then triggers and grants."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for statement in Path(__file__).with_suffix(".sql").read_text().split(";\n"):
        if statement.strip():
            op.execute(statement)
    refuse_changes()
    grant()


def refuse_changes() -> None:
    """Nobody changes what was recorded, not even the owner of the tables."""
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    for table in INSERT_ONLY:
        op.execute(
            f'CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def grant() -> None:
    """The service reads and writes rows; it owns nothing, truncates nothing, changes no insert-only row.

    The role is made if whoever migrates may; else its making and its grant to us are the administrator's.
    """
    op.execute(f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{SERVICE}') THEN
                CREATE ROLE {SERVICE} LOGIN;
            END IF;
            IF NOT pg_has_role('{SERVICE}', 'SET') THEN
                GRANT {SERVICE} TO CURRENT_USER;
            END IF;
        END $$
    """)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {SERVICE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {SERVICE}")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {SERVICE}")
    for table in INSERT_ONLY:
        op.execute(f'REVOKE UPDATE, DELETE ON "{table}" FROM {SERVICE}')
