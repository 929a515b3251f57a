-- Makes linked transfers, all or none, or tells why it does not; `marketplace.ledger.actions` says what is given and
-- what its answer means. It locks the balances of accounts with a floor in the order of their ids, so that no two
-- groups wait for each other. A line that cannot be made at all is a `fault` of its own; a floor is held against the
-- whole: what the lines take from an account must be there before, whatever they bring to it, so that their order
-- does not matter. What only resolves holds takes nothing, and needs no look before its change.
-- `lateral … limit 1` is one index lookup a line, whatever the planner believes: a plan made while a table is small
-- is kept while it grows, and a join would then read all of it.
CREATE FUNCTION book(
    movements json, now timestamptz,
    OUT same int, OUT fault text, OUT currency text, OUT available bigint, OUT needed bigint, OUT made boolean,
    OUT line int
) LANGUAGE plpgsql AS $$
DECLARE
    given record;
    side record;
    n int := 0;
    posted bigint;
    held bigint;
    left_over bigint;
    side_currency text;
    short_of uuid;
    takes boolean := false;
    accounts uuid[] := '{}';
    debits_posted bigint[] := '{}';
    credits_posted bigint[] := '{}';
    debits_held bigint[] := '{}';
    credits_held bigint[] := '{}';
    taken bigint[] := '{}';
    sides CURSOR FOR
        SELECT s.account_id, sum(s.debit_posted)::bigint AS debit_posted,
            sum(s.credit_posted)::bigint AS credit_posted, sum(s.debit_held)::bigint AS debit_held,
            sum(s.credit_held)::bigint AS credit_held, sum(s.taken)::bigint AS taken
        FROM unnest(accounts, debits_posted, credits_posted, debits_held, credits_held, taken)
            AS s (account_id, debit_posted, credit_posted, debit_held, credit_held, taken)
        GROUP BY s.account_id ORDER BY s.account_id;
BEGIN
    same := 0;
    made := false;
    FOR given IN
        SELECT m.kind, m.hold_id, h.amount AS released, t.id IS NOT NULL AS there,
            CASE WHEN d.floor IS NOT NULL THEN d.id END AS debit,
            CASE WHEN c.floor IS NOT NULL THEN c.id END AS credit,
            CASE m.kind WHEN 'void' THEN h.amount ELSE coalesce(m.amount, h.amount) END AS amount,
            CASE WHEN d.id IS NULL OR c.id IS NULL THEN 'unknown'
                WHEN d.currency <> c.currency THEN 'mixed'
                WHEN coalesce(m.at, now) < (SELECT max(until) FROM period_fence) THEN 'closed'
                WHEN m.hold_id IS NULL THEN NULL
                WHEN r.id IS NOT NULL THEN 'resolved'
                WHEN m.kind = 'post' AND h.expires_at <= clock_timestamp() THEN 'expired'
                WHEN m.amount > h.amount THEN 'over'
            END AS fault
        FROM json_to_recordset(movements)
            AS m (id uuid, kind text, debit uuid, credit uuid, amount bigint, hold_id uuid, at timestamptz)
        LEFT JOIN LATERAL (
            SELECT * FROM transfer WHERE transfer.id = m.hold_id AND transfer.kind = 'pending' LIMIT 1
        ) h ON true
        LEFT JOIN LATERAL (
            SELECT transfer.id FROM transfer WHERE transfer.pending_id = m.hold_id LIMIT 1) r ON true
        LEFT JOIN LATERAL (SELECT transfer.id FROM transfer WHERE transfer.id = m.id LIMIT 1) t ON true
        LEFT JOIN LATERAL (
            SELECT * FROM account WHERE account.id = coalesce(h.debit_account_id, m.debit) LIMIT 1) d ON true
        LEFT JOIN LATERAL (
            SELECT * FROM account WHERE account.id = coalesce(h.credit_account_id, m.credit) LIMIT 1) c ON true
    LOOP
        n := n + 1;
        IF given.there THEN
            same := same + 1;
        ELSIF given.fault IS NOT NULL AND fault IS NULL THEN
            fault := given.fault;
            line := n;
        END IF;
        posted := CASE WHEN given.kind IN ('single', 'post') THEN given.amount ELSE 0 END;
        held := CASE given.kind WHEN 'pending' THEN given.amount WHEN 'single' THEN 0 ELSE -given.released END;
        IF given.debit IS NOT NULL THEN
            takes := takes OR given.hold_id IS NULL;
            accounts := accounts || given.debit;
            debits_posted := debits_posted || posted;
            credits_posted := credits_posted || 0::bigint;
            debits_held := debits_held || held;
            credits_held := credits_held || 0::bigint;
            taken := taken || CASE WHEN given.hold_id IS NULL THEN given.amount ELSE 0 END;
        END IF;
        IF given.credit IS NOT NULL THEN
            accounts := accounts || given.credit;
            debits_posted := debits_posted || 0::bigint;
            credits_posted := credits_posted || posted;
            debits_held := debits_held || 0::bigint;
            credits_held := credits_held || held;
            taken := taken || 0::bigint;
        END IF;
    END LOOP;
    IF takes THEN
        FOR side IN sides LOOP
            SELECT b.credits_posted - b.debits_posted - b.debits_pending - a.floor, a.currency
            INTO left_over, side_currency
            FROM account_balance b JOIN account a ON a.id = b.account_id
            WHERE b.account_id = side.account_id FOR UPDATE OF b;
            IF side.taken > 0 AND side.taken > left_over
                AND (short_of IS NULL OR (side_currency, side.account_id) < (currency, short_of)) THEN
                available := left_over;
                needed := side.taken;
                currency := side_currency;
                short_of := side.account_id;
            END IF;
        END LOOP;
    END IF;
    IF same > 0 OR fault IS NOT NULL THEN
        RETURN;
    END IF;
    IF short_of IS NOT NULL THEN
        SELECT min(s.n) INTO line FROM (
            SELECT m.n, m.debit, sum(m.amount) OVER (ORDER BY m.n) AS running
            FROM ROWS FROM (json_to_recordset(movements) AS (debit uuid, hold_id uuid, amount bigint))
                WITH ORDINALITY AS m (debit, hold_id, amount, n)
            WHERE m.debit = short_of AND m.hold_id IS NULL
        ) s WHERE s.running > available;
        RETURN;
    END IF;
    FOR side IN sides LOOP
        UPDATE account_balance b SET debits_posted = b.debits_posted + side.debit_posted,
            credits_posted = b.credits_posted + side.credit_posted,
            debits_pending = b.debits_pending + side.debit_held,
            credits_pending = b.credits_pending + side.credit_held
        WHERE b.account_id = side.account_id;
    END LOOP;
    INSERT INTO transfer (id, kind, debit_account_id, credit_account_id, amount, released, currency, pending_id,
        expires_at, code, reference, query_id, dataset_id, at)
    SELECT m.id, m.kind, coalesce(h.debit_account_id, m.debit), coalesce(h.credit_account_id, m.credit),
        CASE m.kind WHEN 'void' THEN h.amount ELSE coalesce(m.amount, h.amount) END, h.amount, d.currency,
        m.hold_id, m.expires_at, m.code, m.reference, m.query_id, m.dataset_id, coalesce(m.at, now)
    FROM json_to_recordset(movements) AS m (id uuid, kind text, debit uuid, credit uuid, amount bigint,
        hold_id uuid, expires_at timestamptz, code text, reference text, query_id uuid, dataset_id uuid,
        at timestamptz)
    LEFT JOIN LATERAL (
        SELECT * FROM transfer WHERE transfer.id = m.hold_id AND transfer.kind = 'pending' LIMIT 1) h ON true
    LEFT JOIN LATERAL (
        SELECT account.currency FROM account WHERE account.id = coalesce(h.debit_account_id, m.debit) LIMIT 1
    ) d ON true;
    made := true;
END $$
