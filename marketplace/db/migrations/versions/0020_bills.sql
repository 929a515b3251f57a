CREATE TABLE invoice (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    number BIGINT NOT NULL,
    organisation_id UUID NOT NULL,
    period TEXT NOT NULL,
    corrects_id UUID,
    reason TEXT,
    seller_name TEXT NOT NULL,
    seller_tax_code TEXT,
    buyer_name TEXT NOT NULL,
    buyer_tax_code TEXT,
    gross_vnd BIGINT NOT NULL,
    vat_vnd BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_invoice PRIMARY KEY (id),
    CONSTRAINT uq_invoice_series_year_number UNIQUE (series, year, number),
    CONSTRAINT ck_invoice_kind CHECK (kind in ('invoice', 'credit_note')),
    CONSTRAINT ck_invoice_corrects CHECK ((kind = 'credit_note') = (corrects_id is not null)),
    CONSTRAINT ck_invoice_amounts CHECK (number > 0 and vat_vnd between 0 and gross_vnd),
    CONSTRAINT fk_invoice_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_invoice_corrects_id_invoice FOREIGN KEY(corrects_id) REFERENCES invoice (id)
);
CREATE INDEX ix_invoice_corrects_id ON invoice (corrects_id);
CREATE INDEX ix_invoice_organisation_id_issued_at ON invoice (organisation_id, issued_at);
CREATE TABLE invoice_line (
    invoice_id UUID NOT NULL,
    position BIGINT NOT NULL,
    code TEXT NOT NULL,
    dataset_id UUID NOT NULL,
    dataset_slug TEXT NOT NULL,
    dataset_title TEXT NOT NULL,
    vat_permille BIGINT NOT NULL,
    queries BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    gross_vnd BIGINT NOT NULL,
    vat_vnd BIGINT NOT NULL,
    items_sha256 TEXT NOT NULL,
    CONSTRAINT pk_invoice_line PRIMARY KEY (invoice_id, position),
    CONSTRAINT uq_invoice_line_invoice_id_dataset_id_code_vat_permille UNIQUE (invoice_id, dataset_id, code, vat_permille),
    CONSTRAINT ck_invoice_line_amounts CHECK (vat_vnd between 0 and gross_vnd),
    CONSTRAINT fk_invoice_line_invoice_id_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (id)
);
CREATE TABLE invoice_item (
    source_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    code TEXT NOT NULL,
    vat_permille BIGINT NOT NULL,
    query_id UUID,
    gross_vnd BIGINT NOT NULL,
    CONSTRAINT pk_invoice_item PRIMARY KEY (source_id)
);
CREATE INDEX ix_invoice_item_invoice_id_source_id ON invoice_item (invoice_id, source_id);
CREATE TABLE credit (
    id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    reason TEXT NOT NULL,
    version_id TEXT,
    state TEXT NOT NULL,
    proposed_by UUID NOT NULL,
    proposed_at TIMESTAMPTZ NOT NULL,
    decided_by UUID,
    decided_at TIMESTAMPTZ,
    note_id UUID,
    CONSTRAINT pk_credit PRIMARY KEY (id),
    CONSTRAINT ck_credit_state CHECK (state in ('proposed', 'approved', 'refused')),
    CONSTRAINT ck_credit_two_people CHECK (decided_by <> proposed_by),
    CONSTRAINT ck_credit_note CHECK ((state = 'approved') = (note_id is not null)),
    CONSTRAINT fk_credit_invoice_id_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (id),
    CONSTRAINT fk_credit_proposed_by_person FOREIGN KEY(proposed_by) REFERENCES person (id),
    CONSTRAINT fk_credit_decided_by_person FOREIGN KEY(decided_by) REFERENCES person (id),
    CONSTRAINT fk_credit_note_id_invoice FOREIGN KEY(note_id) REFERENCES invoice (id)
);
CREATE INDEX ix_credit_invoice_id ON credit (invoice_id);
CREATE TABLE credit_item (
    credit_id UUID NOT NULL,
    source_id UUID NOT NULL,
    amount_vnd BIGINT NOT NULL,
    CONSTRAINT pk_credit_item PRIMARY KEY (credit_id, source_id),
    CONSTRAINT ck_credit_item_amount CHECK (amount_vnd > 0),
    CONSTRAINT fk_credit_item_credit_id_credit FOREIGN KEY(credit_id) REFERENCES credit (id),
    CONSTRAINT fk_credit_item_source_id_invoice_item FOREIGN KEY(source_id) REFERENCES invoice_item (source_id)
);
CREATE INDEX ix_credit_item_source_id ON credit_item (source_id);
CREATE TABLE einvoice (
    invoice_id UUID NOT NULL,
    message_id TEXT NOT NULL,
    xml BYTEA NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    trouble TEXT,
    code TEXT,
    coded_xml BYTEA,
    refusal TEXT,
    answered_at TIMESTAMPTZ,
    signed_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_einvoice PRIMARY KEY (invoice_id),
    CONSTRAINT ck_einvoice_state CHECK (state in ('waiting', 'coded', 'refused')),
    CONSTRAINT ck_einvoice_code CHECK ((state = 'coded') = (code is not null and coded_xml is not null)),
    CONSTRAINT ck_einvoice_refusal CHECK ((state = 'refused') = (refusal is not null)),
    CONSTRAINT fk_einvoice_invoice_id_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (id),
    CONSTRAINT uq_einvoice_message_id UNIQUE (message_id)
);
CREATE INDEX ix_einvoice_waiting ON einvoice (next_at) WHERE state = 'waiting';
