"""The suite that was approved with a publication, and versions that could not be looked at."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE publication ADD COLUMN suite_sha256 TEXT",
    """
    CREATE TABLE quality_attempt (
        version_id TEXT NOT NULL,
        attempts BIGINT NOT NULL,
        reason TEXT NOT NULL,
        tried_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_quality_attempt PRIMARY KEY (version_id),
        CONSTRAINT fk_quality_attempt_version_id_dataset_version
        FOREIGN KEY(version_id) REFERENCES dataset_version (id)
    )
    """,
    f"GRANT SELECT, INSERT, UPDATE ON quality_attempt TO {SERVICE}",
)


def upgrade() -> None:
    """What waits for approval is approved as it was sent: without the suite's hash."""
    for statement in STATEMENTS:
        op.execute(statement)
