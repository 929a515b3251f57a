"""External listings are found by an index as the own ones are; it is filled in the background."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0030"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE external_listing DROP COLUMN search_text",
    "ALTER TABLE external_listing ADD COLUMN words TSVECTOR NOT NULL DEFAULT ''::tsvector",
    "ALTER TABLE external_listing ADD COLUMN edition TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX ix_external_listing_words ON external_listing USING gin (words) WITH (fastupdate = off)",
    "CREATE INDEX ix_external_listing_edition ON external_listing (edition)",
)


def upgrade() -> None:
    """Until a listing is read anew it is found by no word."""
    for statement in STATEMENTS:
        op.execute(statement)
