"""What settling and searching cost: transfers made by a function, two look-ups less, postings in their index.

As one statement, the making of linked transfers was planned again for each group, which cost as much as its work.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whoever calls it needs the rights to do all that it does."""
    op.execute(Path(__file__).with_suffix(".sql").read_text())
    # Each looked up and locked, once more, a row that the same statement had just written.
    op.execute("ALTER TABLE event_salt DROP CONSTRAINT fk_event_salt_event_id_event")
    op.execute("ALTER TABLE query_result DROP CONSTRAINT fk_query_result_query_id_query")
    op.execute("""
        ALTER TABLE search_posting DROP CONSTRAINT pk_search_posting,
            ADD CONSTRAINT pk_search_posting PRIMARY KEY (term_id, block) INCLUDE (positions)
    """)
