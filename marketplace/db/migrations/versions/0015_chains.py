"""Each leaf names the one before it of its dataset, hidden from others; which heads of the log were published."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE audit_leaf ADD COLUMN dataset_previous BIGINT",
    # Checked for each row, it locks the event, which is never changed, and took half of the time of a leaf.
    "ALTER TABLE audit_leaf DROP CONSTRAINT fk_audit_leaf_event_id_event",
    "INSERT INTO pending_leaf SELECT event_id FROM audit_leaf ON CONFLICT DO NOTHING",
    *(
        statement
        for table in ("audit_leaf", "audit_node", "checkpoint")
        for statement in (
            f"ALTER TABLE {table} DISABLE TRIGGER insert_only",
            f"TRUNCATE {table}",
            f"ALTER TABLE {table} ENABLE TRIGGER insert_only",
        )
    ),
    """
    CREATE TABLE published (
        size BIGINT NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_published PRIMARY KEY (size),
        CONSTRAINT fk_published_size_checkpoint FOREIGN KEY(size) REFERENCES checkpoint (size)
    )
    """,
    """
    CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON published
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    f"GRANT SELECT, INSERT ON published TO {SERVICE}",
)


def upgrade() -> None:
    """Leaves of earlier builds (none was released) told all how often a dataset was used: they are made anew."""
    for statement in STATEMENTS:
        op.execute(statement)
