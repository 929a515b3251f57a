"""A query reads one dataset or several: what belongs to one of them moves to a line of its own."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOVED = ("agreement_id", "dataset_id", "owner_id", "version_id", "revision", "columns", "hold_id", "excluded_seen")
STATEMENTS = (
    """
    CREATE TABLE query_line (
        query_id UUID NOT NULL,
        agreement_id UUID NOT NULL,
        decision_id UUID NOT NULL,
        dataset_id UUID NOT NULL,
        owner_id UUID NOT NULL,
        version_id TEXT,
        revision BIGINT,
        columns TEXT[] NOT NULL,
        bytes BIGINT NOT NULL,
        quote_vnd BIGINT NOT NULL,
        hold_id UUID,
        excluded_seen BIGINT,
        CONSTRAINT pk_query_line PRIMARY KEY (query_id, agreement_id),
        CONSTRAINT fk_query_line_query_id_query FOREIGN KEY(query_id) REFERENCES query (id),
        CONSTRAINT fk_query_line_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id),
        CONSTRAINT fk_query_line_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
        CONSTRAINT fk_query_line_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id)
    )
    """,
    "CREATE INDEX ix_query_line_agreement_id ON query_line (agreement_id)",
    """
    INSERT INTO query_line
    SELECT id, agreement_id, id, dataset_id, owner_id, version_id, revision, columns, bytes, quote_vnd, hold_id,
        excluded_seen
    FROM query
    """,
    """
    CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON query_line
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    f"GRANT SELECT, INSERT ON query_line TO {SERVICE}",
    *(f"ALTER TABLE query DROP COLUMN {column}" for column in MOVED),
    "DELETE FROM quote",
    *(f"ALTER TABLE quote DROP COLUMN {column}" for column in ("agreement_id", "version_id", "columns", "bytes")),
    "ALTER TABLE quote ADD COLUMN prices_vnd JSONB NOT NULL",
    "ALTER TABLE usage DROP CONSTRAINT uq_usage_query_id",
    "ALTER TABLE usage ADD CONSTRAINT uq_usage_query_id_dataset_id UNIQUE (query_id, dataset_id)",
    "ALTER TABLE transfer ADD COLUMN dataset_id UUID",
    "ALTER TABLE transfer DISABLE TRIGGER insert_only",
    "UPDATE transfer t SET dataset_id = l.dataset_id FROM query_line l WHERE l.query_id = t.query_id",
    "ALTER TABLE transfer ENABLE TRIGGER insert_only",
    "DROP INDEX ix_event_decision",
    """
    CREATE INDEX ix_event_decision ON event ((body ->> 'decision_id')) WHERE (body ->> 'decision_id') IS NOT NULL
    """,
)


def upgrade() -> None:
    """Every query so far has one line, whose decision has the query's id. Quotes promise minutes: they go."""
    for statement in STATEMENTS:
        op.execute(statement)
