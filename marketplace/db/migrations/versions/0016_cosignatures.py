"""What outside witnesses signed of the log's checkpoints."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE cosignature (
        size BIGINT NOT NULL,
        witness TEXT NOT NULL,
        line TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_cosignature PRIMARY KEY (size, witness),
        CONSTRAINT fk_cosignature_size_checkpoint FOREIGN KEY(size) REFERENCES checkpoint (size)
    )
    """,
    "CREATE INDEX ix_cosignature_witness_size ON cosignature (witness, size)",
    """
    CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cosignature
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    f"GRANT SELECT, INSERT ON cosignature TO {SERVICE}",
)


def upgrade() -> None:
    """One row a checkpoint and witness."""
    for statement in STATEMENTS:
        op.execute(statement)
