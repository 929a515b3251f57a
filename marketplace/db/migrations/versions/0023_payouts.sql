CREATE TABLE payout_account (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    bank_code TEXT NOT NULL,
    account_number TEXT NOT NULL,
    holder TEXT NOT NULL,
    set_by UUID NOT NULL,
    set_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_payout_account PRIMARY KEY (id),
    CONSTRAINT fk_payout_account_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
    CONSTRAINT fk_payout_account_set_by_person FOREIGN KEY(set_by) REFERENCES person (id)
);
CREATE INDEX ix_payout_account_owner_id_id ON payout_account (owner_id, id);
CREATE TABLE payout_batch (
    id UUID NOT NULL,
    period TEXT NOT NULL,
    state TEXT NOT NULL,
    proposed_by UUID NOT NULL,
    proposed_at TIMESTAMPTZ NOT NULL,
    decided_by UUID,
    decided_at TIMESTAMPTZ,
    CONSTRAINT pk_payout_batch PRIMARY KEY (id),
    CONSTRAINT ck_payout_batch_state CHECK (state in ('proposed', 'released', 'cancelled')),
    CONSTRAINT ck_payout_batch_two_people CHECK (state <> 'released' or decided_by <> proposed_by),
    CONSTRAINT ck_payout_batch_decided CHECK ((state = 'proposed') = (decided_by is null)),
    CONSTRAINT fk_payout_batch_proposed_by_person FOREIGN KEY(proposed_by) REFERENCES person (id),
    CONSTRAINT fk_payout_batch_decided_by_person FOREIGN KEY(decided_by) REFERENCES person (id)
);
CREATE UNIQUE INDEX uq_payout_batch_open ON payout_batch (state) WHERE state = 'proposed';
CREATE TABLE payout (
    id UUID NOT NULL,
    batch_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    account_id UUID NOT NULL,
    amount_vnd BIGINT NOT NULL,
    reference TEXT NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT pk_payout PRIMARY KEY (id),
    CONSTRAINT ck_payout_amount CHECK (amount_vnd > 0),
    CONSTRAINT ck_payout_state CHECK (state in ('proposed', 'released', 'cancelled', 'paid', 'returned')),
    CONSTRAINT fk_payout_batch_id_payout_batch FOREIGN KEY(batch_id) REFERENCES payout_batch (id),
    CONSTRAINT fk_payout_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
    CONSTRAINT fk_payout_account_id_payout_account FOREIGN KEY(account_id) REFERENCES payout_account (id),
    CONSTRAINT uq_payout_reference UNIQUE (reference)
);
CREATE INDEX ix_payout_batch_id ON payout (batch_id);
CREATE INDEX ix_payout_owner_id ON payout (owner_id);
CREATE TABLE payout_notice (
    bank_reference TEXT NOT NULL,
    payout_id UUID NOT NULL,
    status TEXT NOT NULL,
    amount_vnd BIGINT NOT NULL,
    booked_on DATE NOT NULL,
    reason TEXT NOT NULL,
    read_by UUID NOT NULL,
    read_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_payout_notice PRIMARY KEY (bank_reference),
    CONSTRAINT ck_payout_notice_status CHECK (status in ('PAID', 'RETURNED')),
    CONSTRAINT fk_payout_notice_payout_id_payout FOREIGN KEY(payout_id) REFERENCES payout (id),
    CONSTRAINT fk_payout_notice_read_by_person FOREIGN KEY(read_by) REFERENCES person (id)
);
CREATE INDEX ix_payout_notice_payout_id ON payout_notice (payout_id);
