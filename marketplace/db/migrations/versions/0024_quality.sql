CREATE TABLE quality_check (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    version_id TEXT NOT NULL,
    room TEXT NOT NULL,
    judge TEXT NOT NULL,
    scores JSONB NOT NULL,
    verdicts JSONB NOT NULL,
    profile JSONB,
    drift JSONB NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_quality_check PRIMARY KEY (id),
    CONSTRAINT uq_quality_check_version_id_room UNIQUE (version_id, room),
    CONSTRAINT ck_quality_check_room CHECK (room in ('source', 'released')),
    CONSTRAINT fk_quality_check_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_quality_check_version_id_dataset_version FOREIGN KEY(version_id) REFERENCES dataset_version (id)
);
CREATE INDEX ix_quality_check_dataset_id_checked_at ON quality_check (dataset_id, checked_at);
CREATE TABLE quality_overdue (
    version_id TEXT NOT NULL,
    dataset_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_quality_overdue PRIMARY KEY (version_id),
    CONSTRAINT fk_quality_overdue_version_id_dataset_version FOREIGN KEY(version_id) REFERENCES dataset_version (id),
    CONSTRAINT fk_quality_overdue_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id)
);
CREATE INDEX ix_quality_overdue_dataset_id ON quality_overdue (dataset_id);
CREATE TABLE quality_breach (
    id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    startup_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    version_id TEXT NOT NULL,
    period TEXT NOT NULL,
    promise TEXT NOT NULL,
    promised_permille BIGINT,
    found_permille BIGINT,
    credit_permille BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_quality_breach PRIMARY KEY (id),
    CONSTRAINT uq_quality_breach_agreement_id_period_promise UNIQUE (agreement_id, period, promise),
    CONSTRAINT ck_quality_breach_promise CHECK (promise in ('accurate', 'complete', 'clean', 'live')),
    CONSTRAINT ck_quality_breach_credit CHECK (credit_permille between 1 and 1000),
    CONSTRAINT fk_quality_breach_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id),
    CONSTRAINT fk_quality_breach_startup_id_organisation FOREIGN KEY(startup_id) REFERENCES organisation (id),
    CONSTRAINT fk_quality_breach_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
    CONSTRAINT fk_quality_breach_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
    CONSTRAINT fk_quality_breach_version_id_dataset_version FOREIGN KEY(version_id) REFERENCES dataset_version (id)
);
CREATE INDEX ix_quality_breach_owner_id ON quality_breach (owner_id);
CREATE INDEX ix_quality_breach_period ON quality_breach (period);
CREATE INDEX ix_quality_breach_startup_id ON quality_breach (startup_id);
CREATE TABLE quality_credit (
    agreement_id UUID NOT NULL,
    period TEXT NOT NULL,
    invoice_id UUID NOT NULL,
    credit_id UUID NOT NULL,
    CONSTRAINT pk_quality_credit PRIMARY KEY (agreement_id, period, invoice_id),
    CONSTRAINT fk_quality_credit_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id),
    CONSTRAINT fk_quality_credit_invoice_id_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (id),
    CONSTRAINT uq_quality_credit_credit_id UNIQUE (credit_id),
    CONSTRAINT fk_quality_credit_credit_id_credit FOREIGN KEY(credit_id) REFERENCES credit (id)
);
