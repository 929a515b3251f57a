"""The regulator: an index of the log, made from its leaves in the background, old ones as well."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE search_term (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        term TEXT NOT NULL,
        CONSTRAINT pk_search_term PRIMARY KEY (id),
        CONSTRAINT uq_search_term_term UNIQUE (term)
    )
    """,
    """CREATE INDEX ix_search_term_prefix ON search_term (term COLLATE "C")""",
    """
    CREATE TABLE search_posting (
        term_id BIGINT NOT NULL,
        block BIGINT NOT NULL,
        positions BYTEA NOT NULL,
        CONSTRAINT pk_search_posting PRIMARY KEY (term_id, block)
    )
    """,
    """
    CREATE TABLE search_block (
        block BIGINT NOT NULL,
        earliest TIMESTAMPTZ NOT NULL,
        latest TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_search_block PRIMARY KEY (block)
    )
    """,
    """
    CREATE TABLE saved_search (
        id UUID NOT NULL,
        organisation_id UUID NOT NULL,
        person_id UUID NOT NULL,
        name TEXT NOT NULL,
        shared BOOLEAN NOT NULL,
        search JSONB NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_saved_search PRIMARY KEY (id),
        CONSTRAINT uq_saved_search_person_id_name UNIQUE (person_id, name),
        CONSTRAINT fk_saved_search_organisation_id_organisation FOREIGN KEY(organisation_id)
            REFERENCES organisation (id),
        CONSTRAINT fk_saved_search_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
    )
    """,
    "CREATE INDEX ix_saved_search_organisation_id ON saved_search (organisation_id)",
    f"GRANT SELECT, INSERT, DELETE ON saved_search TO {SERVICE}",
    f"GRANT SELECT, INSERT ON search_term, search_posting, search_block TO {SERVICE}",
    # Who searched by party went through it, and every event paid for it.
    "DROP INDEX ix_event_parties",
)


def upgrade() -> None:
    """Nothing of the log changes."""
    for statement in STATEMENTS:
        op.execute(statement)
