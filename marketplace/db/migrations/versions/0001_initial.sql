-- The first tables. As the models say: a test compares.

CREATE TABLE audit_node (
    level BIGINT NOT NULL,
    index BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT pk_audit_node PRIMARY KEY (level, index)
);

CREATE TABLE checkpoint (
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_checkpoint PRIMARY KEY (size)
);

CREATE TABLE event (
    id UUID NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    actor_person_id UUID,
    actor_organisation_id UUID,
    parties UUID[] NOT NULL,
    dataset_id UUID,
    agreement_id UUID,
    query_id UUID,
    purpose TEXT,
    version_id TEXT,
    revision BIGINT,
    bytes BIGINT,
    price_vnd BIGINT,
    body JSONB NOT NULL,
    commitment BYTEA NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (id)
);
CREATE INDEX ix_event_at ON event (at);
CREATE INDEX ix_event_dataset_id_at ON event (dataset_id, at);
CREATE INDEX ix_event_parties ON event USING gin (parties);
CREATE INDEX ix_event_query_id ON event (query_id) WHERE query_id is not null;

CREATE TABLE idempotency_key (
    organisation_id UUID NOT NULL,
    key TEXT NOT NULL,
    body_hash BYTEA NOT NULL,
    subject_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (organisation_id, key)
);

CREATE TABLE login_attempt (
    id UUID NOT NULL,
    email_hash BYTEA NOT NULL,
    address TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_login_attempt PRIMARY KEY (id)
);
CREATE INDEX ix_login_attempt_address_at ON login_attempt (address, at);
CREATE INDEX ix_login_attempt_email_hash_at ON login_attempt (email_hash, at);

CREATE TABLE organisation (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    tax_code TEXT,
    suspended_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_organisation PRIMARY KEY (id),
    CONSTRAINT uq_organisation_slug UNIQUE (slug)
);

CREATE TABLE pending_leaf (
    event_id UUID NOT NULL,
    CONSTRAINT pk_pending_leaf PRIMARY KEY (event_id)
);

CREATE TABLE usage (
    id UUID NOT NULL,
    query_id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    person_id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    version_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    elements BIGINT NOT NULL,
    cpu_us BIGINT NOT NULL,
    wall_us BIGINT NOT NULL,
    peak_memory_bytes BIGINT NOT NULL,
    price_vnd BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_usage PRIMARY KEY (id),
    CONSTRAINT uq_usage_query_id UNIQUE (query_id)
);
CREATE INDEX ix_usage_agreement_id ON usage (agreement_id);
CREATE INDEX ix_usage_organisation_id_at ON usage (organisation_id, at);
CREATE INDEX ix_usage_owner_id_at ON usage (owner_id, at);

CREATE TABLE account (
    id UUID NOT NULL,
    organisation_id UUID,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    floor BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id),
    CONSTRAINT uq_account_organisation_id_kind_currency UNIQUE NULLS NOT DISTINCT (organisation_id, kind, currency),
    CONSTRAINT fk_account_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);

CREATE TABLE audit_leaf (
    index BIGINT NOT NULL,
    event_id UUID NOT NULL,
    dataset_id UUID,
    dataset_counter BIGINT,
    data BYTEA NOT NULL,
    CONSTRAINT pk_audit_leaf PRIMARY KEY (index),
    CONSTRAINT uq_audit_leaf_event_id UNIQUE (event_id),
    CONSTRAINT fk_audit_leaf_event_id_event FOREIGN KEY(event_id) REFERENCES event (id)
);
CREATE UNIQUE INDEX ix_audit_leaf_dataset_id_dataset_counter ON audit_leaf (dataset_id, dataset_counter);

CREATE TABLE event_salt (
    event_id UUID NOT NULL,
    salt BYTEA NOT NULL,
    secrets JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_event_salt PRIMARY KEY (event_id),
    CONSTRAINT fk_event_salt_event_id_event FOREIGN KEY(event_id) REFERENCES event (id)
);

CREATE TABLE lineage (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    population TEXT NOT NULL,
    mode TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_lineage PRIMARY KEY (id),
    CONSTRAINT uq_lineage_owner_id_population UNIQUE (owner_id, population),
    CONSTRAINT fk_lineage_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id)
);

CREATE TABLE person (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT,
    roles TEXT[] NOT NULL,
    deactivated_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_person PRIMARY KEY (id),
    CONSTRAINT fk_person_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT uq_person_email UNIQUE (email)
);
CREATE INDEX ix_person_organisation_id ON person (organisation_id);

CREATE TABLE account_balance (
    account_id UUID NOT NULL,
    debits_posted BIGINT NOT NULL,
    credits_posted BIGINT NOT NULL,
    debits_pending BIGINT NOT NULL,
    credits_pending BIGINT NOT NULL,
    CONSTRAINT pk_account_balance PRIMARY KEY (account_id),
    CONSTRAINT fk_account_balance_account_id_account FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE dataset (
    id UUID NOT NULL,
    slug TEXT NOT NULL,
    owner_id UUID NOT NULL,
    lineage_id UUID NOT NULL,
    title_vi TEXT NOT NULL,
    title_en TEXT NOT NULL,
    description_vi TEXT NOT NULL,
    description_en TEXT NOT NULL,
    licence TEXT NOT NULL,
    themes TEXT[] NOT NULL,
    spatial TEXT NOT NULL,
    temporal TEXT NOT NULL,
    update_frequency TEXT NOT NULL,
    search_text TEXT NOT NULL,
    current_version_id TEXT,
    manifest JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_dataset PRIMARY KEY (id),
    CONSTRAINT uq_dataset_slug UNIQUE (slug),
    CONSTRAINT fk_dataset_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
    CONSTRAINT fk_dataset_lineage_id_lineage FOREIGN KEY(lineage_id) REFERENCES lineage (id)
);
CREATE INDEX ix_dataset_owner_id ON dataset (owner_id);

CREATE TABLE token (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_token PRIMARY KEY (id),
    CONSTRAINT fk_token_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT uq_token_prefix UNIQUE (prefix)
);
CREATE INDEX ix_token_person_id ON token (person_id);

CREATE TABLE transfer (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    debit_account_id UUID NOT NULL,
    credit_account_id UUID NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    pending_id UUID,
    code TEXT NOT NULL,
    reference TEXT,
    query_id UUID,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_transfer PRIMARY KEY (id),
    CONSTRAINT ck_transfer_amount_not_negative CHECK (amount >= 0),
    CONSTRAINT ck_transfer_two_accounts CHECK (debit_account_id <> credit_account_id),
    CONSTRAINT ck_transfer_resolves_pending CHECK ((pending_id is not null) = (kind in ('post', 'void'))),
    CONSTRAINT fk_transfer_debit_account_id_account FOREIGN KEY(debit_account_id) REFERENCES account (id),
    CONSTRAINT fk_transfer_credit_account_id_account FOREIGN KEY(credit_account_id) REFERENCES account (id),
    CONSTRAINT fk_transfer_pending_id_transfer FOREIGN KEY(pending_id) REFERENCES transfer (id)
);
CREATE INDEX ix_transfer_credit_account_id_at ON transfer (credit_account_id, at);
CREATE INDEX ix_transfer_debit_account_id_at ON transfer (debit_account_id, at);
CREATE INDEX ix_transfer_query_id ON transfer (query_id);
CREATE UNIQUE INDEX uq_transfer_pending_id ON transfer (pending_id) WHERE pending_id is not null;

CREATE TABLE web_session (
    id BYTEA NOT NULL,
    person_id UUID NOT NULL,
    csrf_token TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_web_session PRIMARY KEY (id),
    CONSTRAINT fk_web_session_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
);
CREATE INDEX ix_web_session_person_id ON web_session (person_id);

CREATE TABLE application (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    startup_id UUID NOT NULL,
    applicant_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    justification TEXT NOT NULL,
    duration_days BIGINT NOT NULL,
    people UUID[] NOT NULL,
    state TEXT NOT NULL,
    decided_by UUID,
    decided_at TIMESTAMPTZ,
    reason TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_application PRIMARY KEY (id),
    CONSTRAINT fk_application_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_application_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
    CONSTRAINT fk_application_startup_id_organisation FOREIGN KEY(startup_id) REFERENCES organisation (id),
    CONSTRAINT fk_application_applicant_id_person FOREIGN KEY(applicant_id) REFERENCES person (id),
    CONSTRAINT fk_application_decided_by_person FOREIGN KEY(decided_by) REFERENCES person (id)
);
CREATE INDEX ix_application_dataset_id ON application (dataset_id);
CREATE INDEX ix_application_owner_id ON application (owner_id);
CREATE INDEX ix_application_startup_id ON application (startup_id);

CREATE TABLE consent_event (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    subject BYTEA NOT NULL,
    purpose TEXT NOT NULL,
    event TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    recorded_by UUID,
    recorded_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_consent_event PRIMARY KEY (id),
    CONSTRAINT fk_consent_event_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_consent_event_recorded_by_person FOREIGN KEY(recorded_by) REFERENCES person (id)
);
CREATE INDEX ix_consent_event_dataset_id_subject_purpose_at ON consent_event (dataset_id, subject, purpose, at);

CREATE TABLE dataset_version (
    id TEXT NOT NULL,
    dataset_id UUID NOT NULL,
    number BIGINT NOT NULL,
    body JSONB NOT NULL,
    sample JSONB NOT NULL,
    published_by UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_dataset_version PRIMARY KEY (id),
    CONSTRAINT uq_dataset_version_dataset_id_number UNIQUE (dataset_id, number),
    CONSTRAINT fk_dataset_version_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_dataset_version_published_by_person FOREIGN KEY(published_by) REFERENCES person (id)
);
CREATE INDEX ix_dataset_version_dataset_id ON dataset_version (dataset_id);

CREATE TABLE offer (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    base_vnd BIGINT NOT NULL,
    per_gb_vnd BIGINT NOT NULL,
    valid_from TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_offer PRIMARY KEY (id),
    CONSTRAINT fk_offer_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id)
);
CREATE INDEX ix_offer_dataset_id ON offer (dataset_id);

CREATE TABLE agreement (
    id UUID NOT NULL,
    application_id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    startup_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    people UUID[] NOT NULL,
    columns TEXT[] NOT NULL,
    valid_from TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    ended_by UUID,
    end_reason TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_agreement PRIMARY KEY (id),
    CONSTRAINT uq_agreement_application_id UNIQUE (application_id),
    CONSTRAINT fk_agreement_application_id_application FOREIGN KEY(application_id) REFERENCES application (id),
    CONSTRAINT fk_agreement_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_agreement_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
    CONSTRAINT fk_agreement_startup_id_organisation FOREIGN KEY(startup_id) REFERENCES organisation (id),
    CONSTRAINT fk_agreement_ended_by_person FOREIGN KEY(ended_by) REFERENCES person (id)
);
CREATE INDEX ix_agreement_dataset_id ON agreement (dataset_id);
CREATE INDEX ix_agreement_owner_id ON agreement (owner_id);
CREATE INDEX ix_agreement_startup_id ON agreement (startup_id);

CREATE TABLE excluded_cohort (
    id UUID NOT NULL,
    version_id TEXT NOT NULL,
    cohort BIGINT NOT NULL,
    purpose TEXT,
    consent_event_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_excluded_cohort PRIMARY KEY (id),
    CONSTRAINT uq_excluded_cohort_version_id_cohort_purpose UNIQUE NULLS NOT DISTINCT (version_id, cohort, purpose),
    CONSTRAINT fk_excluded_cohort_version_id_dataset_version FOREIGN KEY(version_id) REFERENCES dataset_version (id),
    CONSTRAINT fk_excluded_cohort_consent_event_id_consent_event FOREIGN KEY(consent_event_id) REFERENCES consent_event (id)
);
CREATE INDEX ix_excluded_cohort_version_id ON excluded_cohort (version_id);

CREATE TABLE agreement_meter (
    agreement_id UUID NOT NULL,
    records BIGINT NOT NULL,
    CONSTRAINT pk_agreement_meter PRIMARY KEY (agreement_id),
    CONSTRAINT fk_agreement_meter_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id)
);

CREATE TABLE query (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    sql TEXT NOT NULL,
    state TEXT NOT NULL,
    version_id TEXT,
    revision BIGINT,
    decision JSONB NOT NULL,
    question JSONB NOT NULL,
    columns TEXT[] NOT NULL,
    bytes BIGINT NOT NULL,
    quote_vnd BIGINT NOT NULL,
    charged_vnd BIGINT,
    hold_id UUID,
    failure JSONB,
    rows BIGINT,
    output JSONB,
    result_sha256 TEXT,
    result_expires_at TIMESTAMPTZ,
    excluded_seen BIGINT,
    runner BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    CONSTRAINT pk_query PRIMARY KEY (id),
    CONSTRAINT fk_query_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_query_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_query_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id),
    CONSTRAINT fk_query_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_query_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id)
);
CREATE INDEX ix_query_agreement_id ON query (agreement_id);
CREATE INDEX ix_query_organisation_id_id ON query (organisation_id, id);
CREATE INDEX ix_query_unsettled ON query (runner) WHERE state in ('queued', 'running');

CREATE TABLE quote (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    sql_hash BYTEA NOT NULL,
    version_id TEXT NOT NULL,
    columns TEXT[] NOT NULL,
    bytes BIGINT NOT NULL,
    price_vnd BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_quote PRIMARY KEY (id),
    CONSTRAINT fk_quote_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_quote_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id)
);

CREATE TABLE query_result (
    query_id UUID NOT NULL,
    body BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_query_result PRIMARY KEY (query_id),
    CONSTRAINT fk_query_result_query_id_query FOREIGN KEY(query_id) REFERENCES query (id)
);
CREATE INDEX ix_query_result_expires_at ON query_result (expires_at);
