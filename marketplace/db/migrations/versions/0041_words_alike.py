"""Words that may be meant: no numbers, titles, concepts or facets among them, which made every look-up long."""

from alembic import op

revision = "0041"
down_revision = "0038"


def upgrade() -> None:
    op.execute("drop index ix_search_word_trigrams")
    op.execute(
        "create index ix_search_word_trigrams on search_word using gin (word gin_trgm_ops) "
        "where word ~ '^[a-z][0-9a-z]{3,}$'"
    )
