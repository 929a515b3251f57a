"""How far saved searches were tried on what is listed; a price that comes back is told again."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX ix_dataset_created_at_id ON dataset (created_at, id)",
    "ALTER TABLE watch_notice DROP CONSTRAINT uq_watch_notice_watch_id_code_reference",
    "CREATE INDEX ix_watch_notice_watch_id ON watch_notice (watch_id)",
    """
    CREATE UNIQUE INDEX ix_watch_notice_watch_id_reference ON watch_notice (watch_id, reference)
    WHERE code = 'new_match'
    """,
    """
    CREATE TABLE watch_matched (
        dataset_id UUID NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_watch_matched PRIMARY KEY (dataset_id)
    )
    """,
    # Older ones were looked at by what looked for 15 minutes at each.
    """
    INSERT INTO watch_matched (dataset_id, created_at)
    VALUES ('00000000-0000-0000-0000-000000000000', now() - interval '15 minutes')
    """,
    f"GRANT SELECT, UPDATE ON watch_matched TO {SERVICE}",
)


def upgrade() -> None:
    """Existing notices keep to the new index: they were unique by more."""
    for statement in STATEMENTS:
        op.execute(statement)
