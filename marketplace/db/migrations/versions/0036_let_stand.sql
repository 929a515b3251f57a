ALTER TABLE month_step ADD COLUMN differences JSONB DEFAULT '[]'::jsonb NOT NULL;
CREATE TABLE difference_acceptance (
    id UUID NOT NULL,
    period TEXT NOT NULL,
    step TEXT NOT NULL,
    key TEXT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    expected BIGINT,
    found BIGINT,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    proposed_by UUID NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by UUID,
    decided_at TIMESTAMP WITH TIME ZONE,
    decision_reason TEXT,
    CONSTRAINT pk_difference_acceptance PRIMARY KEY (id),
    CONSTRAINT ck_difference_acceptance_state CHECK (state in ('proposed', 'accepted', 'refused', 'lapsed')),
    CONSTRAINT ck_difference_acceptance_two_people CHECK (decided_by <> proposed_by or state <> 'accepted'),
    CONSTRAINT ck_difference_acceptance_amount CHECK (expected is not null or found is not null),
    CONSTRAINT fk_difference_acceptance_proposed_by_person FOREIGN KEY(proposed_by) REFERENCES person (id),
    CONSTRAINT fk_difference_acceptance_decided_by_person FOREIGN KEY(decided_by) REFERENCES person (id)
);
CREATE INDEX ix_difference_acceptance_period ON difference_acceptance (period);
CREATE UNIQUE INDEX uq_difference_acceptance_open ON difference_acceptance (period, key)
    WHERE state in ('proposed', 'accepted');
CREATE TABLE period_difference (
    period TEXT NOT NULL,
    place BIGINT NOT NULL,
    step TEXT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    expected BIGINT,
    found BIGINT,
    reason TEXT NOT NULL,
    proposed_by UUID NOT NULL,
    accepted_by UUID NOT NULL,
    CONSTRAINT pk_period_difference PRIMARY KEY (period, place)
);
ALTER TABLE watch_notice ALTER COLUMN watch_id DROP NOT NULL, ALTER COLUMN dataset_id DROP NOT NULL,
    ADD CONSTRAINT ck_watch_notice_of_a_watch CHECK ((code = 'month_stuck') = (watch_id is null)
        and (watch_id is null) = (dataset_id is null));
CREATE UNIQUE INDEX uq_watch_notice_month ON watch_notice (person_id, reference) WHERE code = 'month_stuck'
