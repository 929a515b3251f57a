"""Startups' own tables."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The files lie below home, each under a key of its own."""
    op.execute("""
        CREATE TABLE own_table (
            id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            name TEXT NOT NULL,
            columns JSONB NOT NULL,
            rows BIGINT NOT NULL,
            bytes BIGINT NOT NULL,
            wrapped_key BYTEA NOT NULL,
            added_by UUID NOT NULL,
            added_at TIMESTAMPTZ NOT NULL,
            CONSTRAINT pk_own_table PRIMARY KEY (id),
            CONSTRAINT uq_own_table_organisation_id_name UNIQUE (organisation_id, name),
            CONSTRAINT fk_own_table_organisation_id_organisation
                FOREIGN KEY(organisation_id) REFERENCES organisation (id),
            CONSTRAINT fk_own_table_added_by_person FOREIGN KEY(added_by) REFERENCES person (id)
        )
    """)
    op.execute(f"GRANT SELECT, INSERT, DELETE ON own_table TO {SERVICE}")
