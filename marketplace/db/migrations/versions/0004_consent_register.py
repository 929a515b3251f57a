"""The consent register's fields of ISO/IEC 27560, expiry, revisions by step, legal bases as they were recorded."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

REGISTER = """
    ALTER TABLE consent_event
        ADD COLUMN expires_at TIMESTAMPTZ, ADD COLUMN notice_sha256 BYTEA, ADD COLUMN notice_language TEXT,
        ADD COLUMN notice_version TEXT, ADD COLUMN evidence TEXT, ADD COLUMN method TEXT,
        ADD COLUMN jurisdiction TEXT, ADD COLUMN owner_event_id TEXT,
        ADD CONSTRAINT ck_consent_event_event_known
            CHECK (event in ('given', 'withdrawn', 'revoked', 'expired')),
        ADD CONSTRAINT ck_consent_event_only_given_expires CHECK (expires_at is null or event = 'given');
    CREATE UNIQUE INDEX uq_consent_event_owner_event_id ON consent_event (dataset_id, owner_event_id)
        WHERE owner_event_id is not null;
    CREATE INDEX ix_consent_event_expiries ON consent_event (dataset_id, expires_at) WHERE expires_at is not null;
    CREATE INDEX ix_consent_event_ended ON consent_event (dataset_id, recorded_at) WHERE event <> 'given';
    ALTER TABLE dataset ADD COLUMN expired_until TIMESTAMPTZ NOT NULL DEFAULT now();
    ALTER TABLE dataset ALTER COLUMN expired_until DROP DEFAULT;
    ALTER TABLE dataset_version ADD COLUMN worn_at TIMESTAMPTZ;
"""
REVISIONS = """
    ALTER TABLE excluded_cohort ADD COLUMN revision BIGINT;
    ALTER TABLE excluded_cohort DISABLE TRIGGER insert_only;
    UPDATE excluded_cohort AS x SET revision = step.number FROM (
        SELECT id, row_number() OVER (PARTITION BY version_id, purpose ORDER BY created_at, id) AS number
        FROM excluded_cohort
    ) AS step WHERE step.id = x.id;
    ALTER TABLE excluded_cohort ENABLE TRIGGER insert_only;
    ALTER TABLE excluded_cohort ALTER COLUMN revision SET NOT NULL;
"""
BASES = f"""
    CREATE TABLE legal_basis (
        version_id TEXT NOT NULL,
        dataset_id UUID NOT NULL,
        kind TEXT NOT NULL,
        law TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_legal_basis PRIMARY KEY (version_id),
        CONSTRAINT fk_legal_basis_version_id_dataset_version
            FOREIGN KEY(version_id) REFERENCES dataset_version (id),
        CONSTRAINT fk_legal_basis_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
        CONSTRAINT fk_legal_basis_recorded_by_person FOREIGN KEY(recorded_by) REFERENCES person (id)
    );
    CREATE INDEX ix_legal_basis_dataset_id ON legal_basis (dataset_id);
    INSERT INTO legal_basis (version_id, dataset_id, kind, law, recorded_by, recorded_at)
        SELECT v.id, d.id, d.manifest #>> '{{legal_basis,kind}}', d.manifest #>> '{{legal_basis,law}}',
            v.published_by, v.created_at
        FROM dataset d JOIN dataset_version v ON v.id = d.current_version_id
        WHERE d.manifest #>> '{{legal_basis,law}}' IS NOT NULL;
    CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON legal_basis
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    GRANT SELECT, INSERT ON legal_basis TO {SERVICE};
"""


def upgrade() -> None:
    """Cohorts that went one by one keep the numbers that their revisions had."""
    for block in (REGISTER, REVISIONS, BASES):
        for statement in block.split(";\n"):
            if statement.strip():
                op.execute(statement)
