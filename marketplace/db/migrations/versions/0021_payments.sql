CREATE TABLE provider_event (
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_provider_event PRIMARY KEY (id)
);
CREATE INDEX ix_provider_event_created_at ON provider_event (created_at);

CREATE TABLE payment_account (
    organisation_id UUID NOT NULL,
    customer_id TEXT,
    auto_method_id TEXT,
    auto_floor_vnd BIGINT,
    auto_amount_vnd BIGINT,
    auto_month_limit_vnd BIGINT,
    auto_paused TEXT,
    CONSTRAINT pk_payment_account PRIMARY KEY (organisation_id),
    CONSTRAINT ck_payment_account_auto_whole CHECK (num_nonnulls(auto_method_id, auto_floor_vnd, auto_amount_vnd, auto_month_limit_vnd) in (0, 4)),
    CONSTRAINT fk_payment_account_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT uq_payment_account_customer_id UNIQUE (customer_id)
);

CREATE TABLE saved_method (
    id TEXT NOT NULL,
    organisation_id UUID NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    expires TEXT NOT NULL,
    added_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ,
    CONSTRAINT pk_saved_method PRIMARY KEY (id),
    CONSTRAINT fk_saved_method_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);
CREATE INDEX ix_saved_method_organisation_id ON saved_method (organisation_id);

CREATE TABLE bank_line (
    id UUID NOT NULL,
    bank_reference TEXT NOT NULL,
    amount_vnd BIGINT NOT NULL,
    memo TEXT NOT NULL,
    received_on DATE NOT NULL,
    organisation_id UUID,
    booked_by UUID NOT NULL,
    booked_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_bank_line PRIMARY KEY (id),
    CONSTRAINT uq_bank_line_bank_reference UNIQUE (bank_reference),
    CONSTRAINT fk_bank_line_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_bank_line_booked_by_person FOREIGN KEY(booked_by) REFERENCES person (id)
);

CREATE TABLE top_up (
    id UUID NOT NULL,
    organisation_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    amount_vnd BIGINT NOT NULL,
    rate_vnd BIGINT,
    reference TEXT,
    provider_id TEXT,
    url TEXT,
    method_id TEXT,
    save_method BOOLEAN NOT NULL,
    decline_code TEXT,
    created_by UUID,
    created_at TIMESTAMPTZ NOT NULL,
    attempt BIGINT NOT NULL,
    looked_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_top_up PRIMARY KEY (id),
    CONSTRAINT fk_top_up_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id),
    CONSTRAINT uq_top_up_reference UNIQUE (reference),
    CONSTRAINT uq_top_up_provider_id UNIQUE (provider_id),
    CONSTRAINT fk_top_up_created_by_person FOREIGN KEY(created_by) REFERENCES person (id)
);
CREATE INDEX ix_top_up_organisation_id_created_at ON top_up (organisation_id, created_at);
CREATE INDEX ix_top_up_waiting ON top_up (looked_at) WHERE state in ('starting', 'open');
CREATE UNIQUE INDEX uq_top_up_auto ON top_up (organisation_id) WHERE kind = 'auto' and state in ('starting', 'open');

CREATE TABLE payment (
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    top_up_id UUID,
    organisation_id UUID NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    amount_vnd BIGINT NOT NULL,
    paid_at TIMESTAMPTZ NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_payment PRIMARY KEY (id),
    CONSTRAINT fk_payment_top_up_id_top_up FOREIGN KEY(top_up_id) REFERENCES top_up (id),
    CONSTRAINT fk_payment_organisation_id_organisation FOREIGN KEY(organisation_id) REFERENCES organisation (id)
);
CREATE INDEX ix_payment_organisation_id_at ON payment (organisation_id, at);
CREATE INDEX ix_payment_top_up_id ON payment (top_up_id);

CREATE TABLE dispute (
    id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    amount BIGINT NOT NULL,
    amount_vnd BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    CONSTRAINT pk_dispute PRIMARY KEY (id),
    CONSTRAINT fk_dispute_payment_id_payment FOREIGN KEY(payment_id) REFERENCES payment (id)
);
CREATE INDEX ix_dispute_payment_id ON dispute (payment_id);

CREATE TABLE refund (
    id UUID NOT NULL,
    payment_id TEXT NOT NULL,
    provider_id TEXT,
    amount BIGINT NOT NULL,
    amount_vnd BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_by UUID,
    asked_at TIMESTAMPTZ NOT NULL,
    attempt BIGINT NOT NULL,
    looked_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_refund PRIMARY KEY (id),
    CONSTRAINT fk_refund_payment_id_payment FOREIGN KEY(payment_id) REFERENCES payment (id),
    CONSTRAINT uq_refund_provider_id UNIQUE (provider_id),
    CONSTRAINT fk_refund_asked_by_person FOREIGN KEY(asked_by) REFERENCES person (id)
);
CREATE INDEX ix_refund_payment_id ON refund (payment_id);
CREATE INDEX ix_refund_waiting ON refund (looked_at) WHERE state in ('requested', 'pending');
