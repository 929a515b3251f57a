CREATE TABLE publication (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    slug TEXT NOT NULL,
    manifest TEXT NOT NULL,
    source_name TEXT NOT NULL,
    source_bytes BIGINT NOT NULL,
    source_sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    problem JSONB,
    overrides JSONB DEFAULT '[]'::jsonb NOT NULL,
    sent_by UUID NOT NULL,
    via TEXT NOT NULL,
    sent_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ,
    version_id TEXT,
    state_class TEXT,
    personal_class TEXT,
    approved TEXT,
    has_files BOOLEAN NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_publication PRIMARY KEY (id),
    CONSTRAINT ck_publication_state CHECK (state in ('making', 'stopped', 'failed', 'checking', 'approving', 'reviewing', 'listing', 'listed', 'cancelled')),
    CONSTRAINT fk_publication_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_publication_sent_by_person FOREIGN KEY(sent_by) REFERENCES person (id)
);
CREATE INDEX ix_publication_state ON publication (state) WHERE has_files;
CREATE UNIQUE INDEX uq_publication_open ON publication (organisation_id, slug) WHERE state in ('making', 'stopped', 'failed', 'checking', 'approving', 'reviewing', 'listing');
CREATE TABLE publication_stage (
    publication_id UUID NOT NULL,
    stage TEXT NOT NULL,
    body JSONB NOT NULL,
    attempts BIGINT NOT NULL,
    began_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    CONSTRAINT pk_publication_stage PRIMARY KEY (publication_id, stage),
    CONSTRAINT fk_publication_stage_publication_id_publication FOREIGN KEY(publication_id) REFERENCES publication (id)
);
CREATE TABLE publication_step (
    id UUID NOT NULL,
    publication_id UUID NOT NULL,
    verb TEXT NOT NULL,
    state TEXT NOT NULL,
    person_id UUID NOT NULL,
    checklist TEXT[] NOT NULL,
    reason TEXT,
    subject TEXT,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_publication_step PRIMARY KEY (id),
    CONSTRAINT fk_publication_step_publication_id_publication FOREIGN KEY(publication_id) REFERENCES publication (id),
    CONSTRAINT fk_publication_step_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE INDEX ix_publication_step_publication_id ON publication_step (publication_id);
CREATE TABLE version_withdrawal (
    version_id TEXT NOT NULL,
    dataset_id UUID NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    bars_answers BOOLEAN NOT NULL,
    withdrawn_by UUID NOT NULL,
    withdrawn_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_version_withdrawal PRIMARY KEY (version_id),
    CONSTRAINT ck_version_withdrawal_reason CHECK (reason in ('quality', 'privacy', 'unlawful', 'consent', 'outdated', 'other')),
    CONSTRAINT fk_version_withdrawal_version_id_dataset_version FOREIGN KEY(version_id) REFERENCES dataset_version (id),
    CONSTRAINT fk_version_withdrawal_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_version_withdrawal_withdrawn_by_person FOREIGN KEY(withdrawn_by) REFERENCES person (id)
);
CREATE INDEX ix_version_withdrawal_dataset_id ON version_withdrawal (dataset_id)
