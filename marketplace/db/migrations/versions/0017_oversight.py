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
    f"GRANT SELECT, INSERT ON search_term, search_posting, search_block TO {SERVICE}",
    # Who searched by party went through it, and every event paid for it.
    "DROP INDEX ix_event_parties",
)


def upgrade() -> None:
    """Nothing of the log changes."""
    for statement in STATEMENTS:
        op.execute(statement)
