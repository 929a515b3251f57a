"""Data subjects who sign in: sessions that ended early, requests counted; use of a version by time and sector."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Both tables are forgotten row by row, so the service may delete from them."""
    op.execute("""
        CREATE TABLE ended_subject_session (
            id BYTEA NOT NULL,
            expires_at TIMESTAMPTZ NOT NULL,
            CONSTRAINT pk_ended_subject_session PRIMARY KEY (id)
        )
    """)
    op.execute("CREATE INDEX ix_ended_subject_session_expires_at ON ended_subject_session (expires_at)")
    op.execute("""
        CREATE TABLE subject_request_count (
            key BYTEA NOT NULL,
            began_at TIMESTAMPTZ NOT NULL,
            requests BIGINT NOT NULL,
            CONSTRAINT pk_subject_request_count PRIMARY KEY (key)
        )
    """)
    op.execute("CREATE INDEX ix_subject_request_count_began_at ON subject_request_count (began_at)")
    tables = "ended_subject_session, subject_request_count"
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {SERVICE}")
    op.execute("ALTER TABLE organisation ADD COLUMN sector TEXT")
    op.execute("CREATE INDEX ix_usage_version_id_at ON usage (version_id, at)")
