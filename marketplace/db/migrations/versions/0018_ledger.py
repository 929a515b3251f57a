"""Holds that expire or are posted in part, the order of transfers, folds of accounts, closed periods."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TRANSFER = (
    "ALTER TABLE transfer ADD COLUMN released BIGINT",
    "ALTER TABLE transfer ADD COLUMN expires_at TIMESTAMPTZ",
    "ALTER TABLE transfer ADD COLUMN seq BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE transfer DISABLE TRIGGER insert_only",
    "UPDATE transfer SET released = amount WHERE kind IN ('post', 'void')",
    "ALTER TABLE transfer ENABLE TRIGGER insert_only",
    """
    ALTER TABLE transfer
        ADD CONSTRAINT ck_transfer_kind_known CHECK (kind in ('single', 'pending', 'post', 'void'))
    """,
    """
    ALTER TABLE transfer ADD CONSTRAINT ck_transfer_releases_hold
        CHECK ((released is not null) = (pending_id is not null) and amount <= coalesce(released, amount)
               and (kind <> 'void' or amount = released))
    """,
    """
    ALTER TABLE transfer
        ADD CONSTRAINT ck_transfer_only_holds_expire CHECK (expires_at is null or kind = 'pending')
    """,
    "CREATE INDEX ix_transfer_seq ON transfer (seq)",
    "CREATE INDEX ix_transfer_expires_at ON transfer (expires_at) WHERE expires_at is not null",
    f"GRANT SELECT ON SEQUENCE transfer_seq_seq TO {SERVICE}",
    # What these looked up row by row, and locked while they did, `transfer_stands` looks up once a statement.
    "ALTER TABLE transfer DROP CONSTRAINT fk_transfer_debit_account_id_account",
    "ALTER TABLE transfer DROP CONSTRAINT fk_transfer_credit_account_id_account",
    "ALTER TABLE transfer DROP CONSTRAINT fk_transfer_pending_id_transfer",
)
PERIODS = (
    """
    CREATE TABLE period_fence (
        period TEXT NOT NULL,
        until TIMESTAMPTZ NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_period_fence PRIMARY KEY (period)
    )
    """,
    """
    CREATE TABLE period_close (
        period TEXT NOT NULL,
        hash BYTEA NOT NULL,
        transfers BIGINT NOT NULL,
        event_id UUID NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_period_close PRIMARY KEY (period)
    )
    """,
    """
    CREATE TABLE period_balance (
        period TEXT NOT NULL,
        account_id UUID NOT NULL,
        currency TEXT NOT NULL,
        debits_posted BIGINT NOT NULL,
        credits_posted BIGINT NOT NULL,
        debits_pending BIGINT NOT NULL,
        credits_pending BIGINT NOT NULL,
        CONSTRAINT pk_period_balance PRIMARY KEY (period, account_id)
    )
    """,
)
FOLDS = (
    """
    CREATE TABLE account_day (
        account_id UUID NOT NULL,
        day DATE NOT NULL,
        debits_posted BIGINT NOT NULL,
        credits_posted BIGINT NOT NULL,
        debits_pending BIGINT NOT NULL,
        credits_pending BIGINT NOT NULL,
        CONSTRAINT pk_account_day PRIMARY KEY (account_id, day)
    )
    """,
    """
    CREATE TABLE ledger_fold (
        id BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        CONSTRAINT pk_ledger_fold PRIMARY KEY (id),
        CONSTRAINT ck_ledger_fold_one_row CHECK (id = 1)
    )
    """,
    "INSERT INTO ledger_fold (id, seq) VALUES (1, 0)",
    f"GRANT SELECT, INSERT, UPDATE ON account_day TO {SERVICE}",
    f"GRANT SELECT, UPDATE ON ledger_fold TO {SERVICE}",
)
STANDS = (
    """
    CREATE FUNCTION transfer_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        wrong record;
    BEGIN
        SELECT s.id, s.broken INTO wrong FROM (SELECT t.id, CASE
                WHEN d.currency IS DISTINCT FROM t.currency OR c.currency IS DISTINCT FROM t.currency
                    THEN 'transfer_one_currency'
                WHEN t.at < f.until THEN 'transfer_in_open_period'
                WHEN t.pending_id IS NULL THEN NULL
                WHEN p.id IS NULL OR (p.debit_account_id, p.credit_account_id, p.amount)
                        <> (t.debit_account_id, t.credit_account_id, t.released) THEN 'transfer_of_its_hold'
                WHEN t.kind = 'post' AND p.expires_at <= clock_timestamp() THEN 'transfer_hold_not_expired'
            END AS broken
        FROM made t
        LEFT JOIN LATERAL (SELECT currency FROM account WHERE id = t.debit_account_id LIMIT 1) d ON true
        LEFT JOIN LATERAL (SELECT currency FROM account WHERE id = t.credit_account_id LIMIT 1) c ON true
        LEFT JOIN LATERAL (
            SELECT * FROM transfer WHERE id = t.pending_id AND kind = 'pending' LIMIT 1) p ON true
        CROSS JOIN (SELECT max(until) AS until FROM period_fence) f) s WHERE s.broken IS NOT NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'transfer % breaks %', wrong.id, wrong.broken
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = wrong.broken;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER stands AFTER INSERT ON transfer REFERENCING NEW TABLE AS made
        FOR EACH STATEMENT EXECUTE FUNCTION transfer_stands()
    """,
    # An account that a transfer names stays what it was, so that looking it up once is enough.
    """
    CREATE FUNCTION refuse_other_account() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND (NEW.id, NEW.currency) = (OLD.id, OLD.currency) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'an account keeps its id and its currency' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER same_account BEFORE UPDATE OF id, currency OR DELETE ON account
        FOR EACH ROW EXECUTE FUNCTION refuse_other_account()
    """,
    """
    CREATE TRIGGER not_emptied BEFORE TRUNCATE ON account
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    f"REVOKE DELETE ON account FROM {SERVICE}",
)


def upgrade() -> None:
    """What was booked keeps its order as it lies in the table; the first fold begins at nothing."""
    for statement in (*TRANSFER, *PERIODS, *FOLDS, *STANDS):
        op.execute(statement)
    for table in ("period_fence", "period_close", "period_balance"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {SERVICE}")
        op.execute(
            f"CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
