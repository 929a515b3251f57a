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
    """
    CREATE TABLE alert (
        id UUID NOT NULL,
        rule TEXT NOT NULL,
        cause TEXT NOT NULL,
        told JSONB NOT NULL,
        dataset_id UUID,
        organisation_id UUID,
        raised_at TIMESTAMPTZ NOT NULL,
        acknowledged_at TIMESTAMPTZ,
        acknowledged_by UUID,
        reason TEXT,
        CONSTRAINT pk_alert PRIMARY KEY (id),
        CONSTRAINT uq_alert_rule_cause UNIQUE (rule, cause),
        CONSTRAINT fk_alert_acknowledged_by_person FOREIGN KEY(acknowledged_by) REFERENCES person (id)
    )
    """,
    """
    CREATE TABLE alert_progress (
        id BIGINT NOT NULL,
        leaf BIGINT NOT NULL,
        CONSTRAINT pk_alert_progress PRIMARY KEY (id)
    )
    """,
    # What happened before there were rules is not looked at again: nobody could act on it in time.
    "INSERT INTO alert_progress SELECT 1, coalesce(max(index) + 1, 0) FROM audit_leaf",
    """
    CREATE TABLE incident (
        id UUID NOT NULL,
        opened_by UUID NOT NULL,
        organisation_id UUID NOT NULL,
        title TEXT NOT NULL,
        dataset_ids UUID[] NOT NULL,
        owner_ids UUID[] NOT NULL,
        since TIMESTAMPTZ NOT NULL,
        until TIMESTAMPTZ NOT NULL,
        known_at TIMESTAMPTZ NOT NULL,
        report_by TIMESTAMPTZ NOT NULL,
        law TEXT NOT NULL,
        state TEXT NOT NULL,
        opened_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_incident PRIMARY KEY (id),
        CONSTRAINT fk_incident_opened_by_person FOREIGN KEY(opened_by) REFERENCES person (id),
        CONSTRAINT fk_incident_organisation_id_organisation FOREIGN KEY(organisation_id)
            REFERENCES organisation (id)
    )
    """,
    """
    CREATE TABLE incident_step (
        id UUID NOT NULL,
        incident_id UUID NOT NULL,
        verb TEXT NOT NULL,
        note TEXT NOT NULL,
        person_id UUID NOT NULL,
        organisation_id UUID NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_incident_step PRIMARY KEY (id),
        CONSTRAINT fk_incident_step_incident_id_incident FOREIGN KEY(incident_id) REFERENCES incident (id),
        CONSTRAINT fk_incident_step_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
        CONSTRAINT fk_incident_step_organisation_id_organisation FOREIGN KEY(organisation_id)
            REFERENCES organisation (id)
    )
    """,
    "CREATE INDEX ix_incident_step_incident_id ON incident_step (incident_id)",
    'CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "incident_step" '
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    f"GRANT SELECT, INSERT ON incident_step TO {SERVICE}",
    f"GRANT SELECT, INSERT, UPDATE ON alert, alert_progress, incident TO {SERVICE}",
    f"GRANT SELECT, INSERT ON search_term, search_posting, search_block TO {SERVICE}",
    # Who searched by party went through it, and every event paid for it.
    "DROP INDEX ix_event_parties",
)


def upgrade() -> None:
    """Nothing of the log changes."""
    for statement in STATEMENTS:
        op.execute(statement)
