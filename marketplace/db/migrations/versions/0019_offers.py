"""Offers in versions, which agreements keep; what months cost and may cost."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INSERT_ONLY = ("charge", "spend_alert")
OFFERS = (
    "ALTER TABLE offer ADD COLUMN name TEXT, ADD COLUMN number BIGINT, ADD COLUMN terms JSONB, "
    "ADD COLUMN startup_id UUID CONSTRAINT fk_offer_startup_id_organisation REFERENCES organisation (id), "
    "ADD COLUMN valid_until TIMESTAMPTZ, "
    "ADD COLUMN made_by UUID CONSTRAINT fk_offer_made_by_person REFERENCES person (id), "
    "ADD COLUMN made_at TIMESTAMPTZ, "
    "ADD COLUMN retired_by UUID CONSTRAINT fk_offer_retired_by_person REFERENCES person (id), "
    "ADD COLUMN retired_at TIMESTAMPTZ",
    """
    UPDATE offer o SET name = 'standard', number = n.number, made_at = o.valid_from,
        terms = jsonb_strip_nulls(jsonb_build_object('per_query_micro', o.base_vnd * 1000000,
            'per_gb_micro', o.per_gb_vnd * 1000000, 'max_seconds', o.max_seconds))
    FROM (SELECT id, row_number() OVER (PARTITION BY dataset_id ORDER BY valid_from, id) AS number FROM offer) n
    WHERE n.id = o.id
    """,
    *(f"ALTER TABLE offer ALTER COLUMN {name} SET NOT NULL" for name in ("name", "number", "terms", "made_at")),
    *(f"ALTER TABLE offer DROP COLUMN {name}" for name in ("base_vnd", "per_gb_vnd", "max_seconds")),
    "ALTER TABLE offer ADD CONSTRAINT uq_offer_dataset_id_name_number UNIQUE (dataset_id, name, number)",
    f"REVOKE UPDATE, DELETE ON offer FROM {SERVICE}",
    f"GRANT UPDATE (retired_at, retired_by) ON offer TO {SERVICE}",
    *(
        f"ALTER TABLE {table} ADD COLUMN offer_id UUID CONSTRAINT fk_{table}_offer_id_offer REFERENCES offer (id)"
        for table in ("application", "agreement", "query_line")
    ),
    "ALTER TABLE agreement ADD COLUMN unpaid_since TIMESTAMPTZ",
    *(
        f"""
        UPDATE {table} a SET offer_id = (SELECT id FROM offer o WHERE o.dataset_id = a.dataset_id
            AND o.valid_from <= now() ORDER BY o.valid_from DESC, o.id DESC LIMIT 1)
        """
        for table in ("application", "agreement")
    ),
)
PRICES = (
    "ALTER TABLE query_line ADD COLUMN items JSONB NOT NULL DEFAULT '[]'::jsonb, ADD COLUMN trial_vnd BIGINT",
    "ALTER TABLE usage ADD COLUMN items JSONB NOT NULL DEFAULT '[]'::jsonb",
    "DELETE FROM quote",
    *(
        f"ALTER TABLE quote DROP COLUMN {name}"
        for name in ("purpose", "sql_hash", "price_vnd", "prices_vnd", "rho_micro", "stored")
    ),
    "ALTER TABLE quote ADD COLUMN note TEXT NOT NULL",
)
SPENDING = (
    """
    CREATE TABLE month_spend (
        agreement_id UUID NOT NULL,
        month TEXT NOT NULL,
        person_id UUID NOT NULL,
        organisation_id UUID NOT NULL,
        dataset_id UUID NOT NULL,
        queries BIGINT NOT NULL,
        vnd BIGINT NOT NULL,
        trial_queries BIGINT NOT NULL,
        trial_vnd BIGINT NOT NULL,
        CONSTRAINT pk_month_spend PRIMARY KEY (agreement_id, month, person_id),
        CONSTRAINT ck_month_spend_not_negative CHECK (least(queries, vnd, trial_queries, trial_vnd) >= 0),
        CONSTRAINT fk_month_spend_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id),
        CONSTRAINT fk_month_spend_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
        CONSTRAINT fk_month_spend_organisation_id_organisation
            FOREIGN KEY(organisation_id) REFERENCES organisation (id),
        CONSTRAINT fk_month_spend_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id)
    )
    """,
    "CREATE INDEX ix_month_spend_organisation_id_month ON month_spend (organisation_id, month)",
    "CREATE INDEX ix_month_spend_trial ON month_spend (organisation_id, dataset_id) WHERE trial_queries > 0",
    """
    INSERT INTO month_spend SELECT l.agreement_id,
        to_char(q.created_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM'), q.person_id, q.organisation_id,
        l.dataset_id, count(*), sum(l.quote_vnd), 0, 0
    FROM query q JOIN query_line l ON l.query_id = q.id
    WHERE q.state IN ('queued', 'running')
        OR EXISTS (SELECT FROM usage u WHERE u.query_id = q.id AND u.dataset_id = l.dataset_id)
    GROUP BY 1, 2, 3, 4, 5
    """,
    """
    CREATE TABLE spend_limit (
        id UUID NOT NULL,
        organisation_id UUID NOT NULL,
        dataset_id UUID,
        person_id UUID,
        month_vnd BIGINT NOT NULL,
        alert_percent BIGINT[] NOT NULL,
        set_by UUID NOT NULL,
        set_at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_spend_limit PRIMARY KEY (id),
        CONSTRAINT uq_spend_limit_organisation_id_dataset_id_person_id
            UNIQUE NULLS NOT DISTINCT (organisation_id, dataset_id, person_id),
        CONSTRAINT ck_spend_limit_one_scope CHECK (dataset_id is null or person_id is null),
        CONSTRAINT ck_spend_limit_not_negative CHECK (month_vnd >= 0),
        CONSTRAINT fk_spend_limit_organisation_id_organisation
            FOREIGN KEY(organisation_id) REFERENCES organisation (id),
        CONSTRAINT fk_spend_limit_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
        CONSTRAINT fk_spend_limit_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
        CONSTRAINT fk_spend_limit_set_by_person FOREIGN KEY(set_by) REFERENCES person (id)
    )
    """,
    """
    CREATE TABLE spend_alert (
        id UUID NOT NULL,
        organisation_id UUID NOT NULL,
        dataset_id UUID,
        person_id UUID,
        month TEXT NOT NULL,
        percent BIGINT NOT NULL,
        spent_vnd BIGINT NOT NULL,
        limit_vnd BIGINT NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_spend_alert PRIMARY KEY (id),
        CONSTRAINT uq_spend_alert_told_once
            UNIQUE NULLS NOT DISTINCT (organisation_id, dataset_id, person_id, month, percent, limit_vnd),
        CONSTRAINT fk_spend_alert_organisation_id_organisation
            FOREIGN KEY(organisation_id) REFERENCES organisation (id),
        CONSTRAINT fk_spend_alert_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
        CONSTRAINT fk_spend_alert_person_id_person FOREIGN KEY(person_id) REFERENCES person (id)
    )
    """,
    """
    CREATE TABLE charge (
        id UUID NOT NULL,
        organisation_id UUID NOT NULL,
        owner_id UUID NOT NULL,
        dataset_id UUID NOT NULL,
        agreement_id UUID NOT NULL,
        code TEXT NOT NULL,
        period TEXT NOT NULL,
        amount_vnd BIGINT NOT NULL,
        transfer_id UUID NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_charge PRIMARY KEY (id),
        CONSTRAINT uq_charge_agreement_id_code_period UNIQUE (agreement_id, code, period),
        CONSTRAINT fk_charge_organisation_id_organisation
            FOREIGN KEY(organisation_id) REFERENCES organisation (id),
        CONSTRAINT fk_charge_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
        CONSTRAINT fk_charge_dataset_id_dataset FOREIGN KEY(dataset_id) REFERENCES dataset (id),
        CONSTRAINT fk_charge_agreement_id_agreement FOREIGN KEY(agreement_id) REFERENCES agreement (id),
        CONSTRAINT fk_charge_transfer_id_transfer FOREIGN KEY(transfer_id) REFERENCES transfer (id)
    )
    """,
    "CREATE INDEX ix_charge_organisation_id_period ON charge (organisation_id, period)",
    "CREATE INDEX ix_charge_owner_id_period ON charge (owner_id, period)",
    *(
        f'CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        for table in INSERT_ONLY
    ),
    f"GRANT SELECT, INSERT ON charge, spend_alert TO {SERVICE}",
    f"GRANT SELECT, INSERT, UPDATE ON month_spend TO {SERVICE}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON spend_limit TO {SERVICE}",
)


def upgrade() -> None:
    """What was offered is the first version of the standard offer, and every agreement keeps the one in force.

    Quotes promise minutes, and so far unsigned: they go."""
    for statement in (*OFFERS, *PRICES, *SPENDING):
        op.execute(statement)
