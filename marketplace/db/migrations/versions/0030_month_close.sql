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
