CREATE TABLE month_step (
    period TEXT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    cause TEXT,
    told JSONB NOT NULL,
    tried_at TIMESTAMPTZ NOT NULL,
    next_at TIMESTAMPTZ,
    CONSTRAINT pk_month_step PRIMARY KEY (period, step),
    CONSTRAINT ck_month_step_state CHECK (state in ('done', 'stuck')),
    CONSTRAINT ck_month_step_stuck CHECK ((state = 'stuck') = (cause is not null and next_at is not null))
);
CREATE TABLE owner_statement (
    period TEXT NOT NULL,
    owner_id UUID NOT NULL,
    sha256 TEXT NOT NULL,
    earned_vnd BIGINT NOT NULL,
    closing_vnd BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_owner_statement PRIMARY KEY (period, owner_id),
    CONSTRAINT fk_owner_statement_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id)
);
CREATE TABLE invoice_edition (
    id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    edition BIGINT NOT NULL,
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    number BIGINT NOT NULL,
    replaces BOOLEAN NOT NULL,
    why TEXT NOT NULL,
    seller_name TEXT NOT NULL,
    seller_tax_code TEXT,
    buyer_name TEXT NOT NULL,
    buyer_tax_code TEXT,
    sha256 TEXT NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL,
    made_by UUID NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_invoice_edition PRIMARY KEY (id),
    CONSTRAINT uq_invoice_edition_invoice_id_edition UNIQUE (invoice_id, edition),
    CONSTRAINT ck_invoice_edition_later CHECK (edition > 1 and number > 0),
    CONSTRAINT fk_invoice_edition_invoice_id_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (id),
    CONSTRAINT fk_invoice_edition_made_by_person FOREIGN KEY(made_by) REFERENCES person (id)
);
CREATE UNIQUE INDEX uq_invoice_edition_number ON invoice_edition (series, year, number) WHERE replaces;
ALTER TABLE einvoice ADD COLUMN edition BIGINT NOT NULL DEFAULT 1;
ALTER TABLE einvoice ALTER COLUMN edition DROP DEFAULT;
ALTER TABLE einvoice DROP CONSTRAINT pk_einvoice;
ALTER TABLE einvoice ADD CONSTRAINT pk_einvoice PRIMARY KEY (invoice_id, edition);
CREATE TABLE payout_transfer (
    payout_id UUID NOT NULL,
    transfer_id TEXT,
    attempt BIGINT NOT NULL,
    trouble TEXT,
    looked_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_payout_transfer PRIMARY KEY (payout_id),
    CONSTRAINT fk_payout_transfer_payout_id_payout FOREIGN KEY(payout_id) REFERENCES payout (id),
    CONSTRAINT uq_payout_transfer_transfer_id UNIQUE (transfer_id)
);
CREATE TABLE outside_point (
    name TEXT NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_outside_point PRIMARY KEY (name)
);
