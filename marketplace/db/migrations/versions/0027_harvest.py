"""Other catalogues and what they list; releases in the order of time, for the feed."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX ix_dataset_version_created_at_id ON dataset_version (created_at, id)",
    """
    CREATE TABLE harvest_source (
        id UUID NOT NULL,
        url TEXT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        every_hours BIGINT NOT NULL,
        added_by UUID NOT NULL,
        added_at TIMESTAMPTZ NOT NULL,
        due_at TIMESTAMPTZ,
        etag TEXT,
        last_modified TEXT,
        seen_modified TEXT,
        CONSTRAINT pk_harvest_source PRIMARY KEY (id),
        CONSTRAINT uq_harvest_source_url UNIQUE (url),
        CONSTRAINT fk_harvest_source_added_by_person FOREIGN KEY(added_by) REFERENCES person (id)
    )
    """,
    "CREATE INDEX ix_harvest_source_due_at ON harvest_source (due_at)",
    """
    CREATE TABLE harvest_run (
        id UUID NOT NULL,
        source_id UUID NOT NULL,
        began_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        state TEXT NOT NULL,
        code TEXT,
        requests BIGINT NOT NULL,
        new BIGINT NOT NULL,
        changed BIGINT NOT NULL,
        unchanged BIGINT NOT NULL,
        returned BIGINT NOT NULL,
        vanished BIGINT NOT NULL,
        refused BIGINT NOT NULL,
        refusals JSONB NOT NULL,
        CONSTRAINT pk_harvest_run PRIMARY KEY (id),
        CONSTRAINT fk_harvest_run_source_id_harvest_source FOREIGN KEY(source_id) REFERENCES harvest_source (id)
    )
    """,
    "CREATE INDEX ix_harvest_run_source_id_began_at ON harvest_run (source_id, began_at)",
    """
    CREATE TABLE external_listing (
        id UUID NOT NULL,
        source_id UUID NOT NULL,
        foreign_id TEXT NOT NULL,
        foreign_name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        title TEXT NOT NULL,
        description TEXT NOT NULL,
        url TEXT,
        publisher TEXT NOT NULL,
        licence TEXT NOT NULL,
        themes TEXT[] NOT NULL,
        formats TEXT[] NOT NULL,
        spatial TEXT NOT NULL,
        temporal TEXT NOT NULL,
        modified TEXT NOT NULL,
        search_text TEXT NOT NULL,
        run_id UUID NOT NULL,
        first_seen_at TIMESTAMPTZ NOT NULL,
        changed_at TIMESTAMPTZ NOT NULL,
        vanished_at TIMESTAMPTZ,
        CONSTRAINT pk_external_listing PRIMARY KEY (id),
        CONSTRAINT uq_external_listing_source_id_foreign_id UNIQUE (source_id, foreign_id),
        CONSTRAINT fk_external_listing_source_id_harvest_source
            FOREIGN KEY(source_id) REFERENCES harvest_source (id),
        CONSTRAINT fk_external_listing_run_id_harvest_run FOREIGN KEY(run_id) REFERENCES harvest_run (id)
    )
    """,
    "CREATE INDEX ix_external_listing_source_id_foreign_name ON external_listing (source_id, foreign_name)",
    f"GRANT SELECT, INSERT, UPDATE ON harvest_source, harvest_run, external_listing TO {SERVICE}",
)


def upgrade() -> None:
    """New tables only."""
    for statement in STATEMENTS:
        op.execute(statement)
