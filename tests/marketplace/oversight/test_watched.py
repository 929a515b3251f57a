"""Who watches the rules and the audit, and what was fetched of a version that is no longer the newest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.audit.check import Finding
from marketplace.db import embedded
from marketplace.db.base import utcnow
from marketplace.db.roles import OWNER
from marketplace.inspection.look import Verdict, tell
from marketplace.oversight.alerts import TRIES, look
from marketplace.oversight.rules import audit_late, consent_used
from marketplace.oversight.rules.rule import Cause, Look, Rule, Span, thresholds_at
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.test_refusing import put_in
from tests.marketplace.oversight.test_alerts import NOON, logged, place, raised
from tests.marketplace.oversight.test_alerts import quiet as quiet  # noqa: PLC0414

WHOLE = Verdict(size=8, rows=(), published=(), books=())


async def test_a_rule_that_failed_sees_what_it_missed_once_it_can(quiet: Log) -> None:
    seen: list[tuple[int, int]] = []
    slow = ["SELECT pg_sleep(10)", "SELECT 1"]

    async def slowly(session: AsyncSession, span: Span) -> list[Cause]:
        await session.execute(text("SET LOCAL statement_timeout = 50"))
        await session.execute(text(slow.pop(0)))
        seen.append((span.since, span.until))
        return [Cause(key="found", told={})]

    logged(quiet, [("query:deny", NOON, uuid4())])
    rules = [Rule("slowly", slowly)]
    assert await look(quiet.database, at=NOON, rules=rules) == 1
    told = await quiet.one("SELECT told FROM alert WHERE rule = 'rule_stuck'")
    assert told == {"stuck_rule": "slowly", "from_leaf": 0, "why": "QueryCanceled"}
    logged(quiet, [("query:deny", NOON, uuid4())])
    assert await look(quiet.database, at=NOON, rules=rules) == 1
    assert (seen, await place(quiet, "slowly")) == ([(0, 2)], 2)


async def test_a_span_that_takes_too_much_is_looked_at_in_halves(quiet: Log) -> None:
    seen: list[tuple[int, int]] = []

    async def few(session: AsyncSession, span: Span) -> list[Cause]:
        if span.until - span.since > 3:
            await session.execute(text("SET LOCAL statement_timeout = 50"))
            await session.execute(text("SELECT pg_sleep(10)"))
        seen.append((span.since, span.until))
        return [Cause(key=str(span.since), told={})]

    logged(quiet, [("query:deny", NOON, uuid4()) for _ in range(10)])
    assert await look(quiet.database, at=NOON, rules=[Rule("few", few)]) == len(seen)
    assert [since for since, _ in seen] == [0] + [until for _, until in seen[:-1]], "none is passed over"
    assert await place(quiet, "few") == 10
    assert {rule for rule, _ in await raised(quiet)} == {"few"}, "nothing was stuck"


async def test_a_rule_in_a_deadlock_is_tried_again_and_ends_the_look_of_no_other(quiet: Log) -> None:
    tried: list[str] = []

    def meets(times: int) -> Look:
        async def deadlock(session: AsyncSession, _: Span) -> list[Cause]:
            tried.append("x")
            if len(tried) <= times:
                await session.execute(text("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$"))
            return [Cause(key="found", told={})]

        return deadlock

    async def quietly(session: AsyncSession, span: Span) -> list[Cause]:
        return [Cause(key="other", told={})]

    logged(quiet, [("query:deny", NOON, uuid4())])
    assert await look(quiet.database, at=NOON, rules=[Rule("once", meets(1))]) == 1
    assert (len(tried), await place(quiet, "once")) == (2, 1)
    tried.clear()
    assert await look(quiet.database, at=NOON, rules=[Rule("always", meets(99)), Rule("quietly", quietly)]) == 1
    assert (len(tried), await place(quiet, "quietly")) == (TRIES, 1)
    tried.extend("x" * 99)
    assert await look(quiet.database, at=NOON, rules=[Rule("always", meets(99))]) == 1
    assert [rule for rule, _ in await raised(quiet)] == ["once", "quietly", "always"]


async def test_without_thresholds_in_force_no_rule_that_needs_them_moves_on_and_that_is_told(quiet: Log) -> None:
    before_the_law = datetime(2020, 1, 1, tzinfo=UTC)
    assert thresholds_at(before_the_law) is None
    limits, busy = thresholds_at(NOON), uuid4()
    assert limits
    logged(quiet, [("query:deny", NOON, busy) for _ in range(limits.denials)])
    await look(quiet.database, at=before_the_law)
    stuck = "SELECT array_agg(cause ORDER BY cause) FROM alert WHERE told ->> 'why' = 'NoThresholds'"
    assert await quiet.one(stuck) == ["budget_drained/0", "denial_burst/0", "incident_due/0", "night_export/0"]
    assert [await place(quiet, rule) for rule in ("denial_burst", "consent_used")] == [0, limits.denials]
    assert await look(quiet.database, at=NOON) == 1
    assert ("denial_burst", busy) in await raised(quiet)


async def test_an_audit_that_found_something_is_an_alert_though_it_gets_no_leaf(quiet: Log) -> None:
    lost = (Finding("log.event_changed", "x"), Finding("log.leaf_missing", "4"))
    for found in ((), lost):
        await tell(quiet.database, quiet.keys, msgspec.structs.replace(WHOLE, rows=found), at=utcnow())
    assert await look(quiet.database, at=utcnow()) == 1
    assert [rule for rule, _ in await raised(quiet)] == ["audit_failed"]
    told = await quiet.one("SELECT told FROM alert")
    assert (told["differences"], told["named"]) == (2, "log.event_changed: x; log.leaf_missing: 4")
    assert await look(quiet.database, at=utcnow()) == 0


async def test_a_witness_that_refuses_is_an_alert_once_though_it_gets_no_leaf(quiet: Log) -> None:
    for _ in range(2):
        async with quiet.database.session() as session:
            body = {"witness": "witness.example/w1+8ff1b985+BD0Q", "status": 409, "size": 56}
            await record(session, "log:witness_refuse", body=body)
        await look(quiet.database, at=utcnow())
    assert [rule for rule, _ in await raised(quiet)] == ["witness_refused"]
    told = await quiet.one("SELECT told FROM alert")
    assert told == {"witness": "witness.example/w1", "cosigned_leaves": 56}


async def test_events_that_were_put_into_the_database_are_an_alert_once(quiet: Log) -> None:
    forged = [str(put_in(quiet)), str(put_in(quiet))]
    for _ in range(2):
        await quiet.sequence()
        await look(quiet.database, at=utcnow())
    assert [rule for rule, _ in await raised(quiet)] == ["event_refused"]
    told = await quiet.one("SELECT told FROM alert")
    assert told == {"refused_events": 2, "named": "; ".join(sorted(forged))}


async def test_a_line_of_the_bank_that_fits_nothing_is_an_alert_once(quiet: Log) -> None:
    for reference, why in (("FT1", "twice"), ("FT1", "twice"), ("FT1", "differs"), ("FT2", "twice")):
        async with quiet.database.session() as session:
            body = {"reference": "SDL7", "bank_reference": reference, "status": "PAID", "why": why}
            await record(session, "payout:odd", price_vnd=70_000, body=body)
        await look(quiet.database, at=utcnow())
    assert [rule for rule, _ in await raised(quiet)] == ["payout_odd"] * 3
    told = await quiet.one("SELECT told - 'event' FROM alert WHERE told ->> 'bank_reference' = 'FT2'")
    assert told == {
        "bank_reference": "FT2", "payout_reference": "SDL7", "bank_said": "PAID", "amount_vnd": 70_000,
        "odd": "twice",
    }  # fmt: skip


async def test_what_others_say_otherwise_is_an_alert_when_it_is_not_as_the_day_before(quiet: Log) -> None:
    silent, apart = {"outside:payouts unanswered": 2}, {"outside:stripe": 1, "outside:payouts unanswered": 2}
    inside = {"usage_is_charged": 1}
    for n, checks in enumerate([{}, inside, silent | inside, silent, apart, {}, silent], start=1):
        async with quiet.database.session() as session:
            body = {"day": f"2026-11-{n:02}", "differences": sum(checks.values()), "checks": checks}
            await record(session, "ledger:reconcile", body=body)
        await look(quiet.database, at=utcnow())
    assert {rule for rule, _ in await raised(quiet)} == {"outside_differs"}
    told = await quiet.one("SELECT array_agg(told - 'event' ORDER BY raised_at) FROM alert")
    assert told == [
        {"day": "2026-11-03", "named": "payouts unanswered 2"},
        {"day": "2026-11-05", "named": "payouts unanswered 2; stripe 1"},
        {"day": "2026-11-07", "named": "payouts unanswered 2"},
    ]


async def test_an_audit_that_did_not_run_is_told_by_its_age_once_until_there_is_one(quiet: Log) -> None:
    logged(quiet, [("query:deny", NOON, uuid4())])

    async def late(hours: float) -> int:
        at = NOON + timedelta(hours=hours)
        return await look(quiet.database, at=at, rules=[audit_late.RULE], audit_late_h=30)

    async def audited(hours: float) -> None:
        logged(quiet, [("log:audit", NOON + timedelta(hours=hours), uuid4())])

    assert await late(29) == 0, "a log that began just now has no audit to wait for"
    assert [await late(31), await late(32)] == [1, 0]
    await audited(40)
    assert await late(60) == 0
    await audited(24 * 365)
    assert await late(71) == 1, "one that is dated ahead of the clock is none"
    assert await raised(quiet) == [("audit_late", None)] * 2


async def test_a_verdict_put_into_the_database_hides_no_night_without_one(quiet: Log) -> None:
    logged(quiet, [("query:deny", NOON, uuid4())])
    key = quiet.keys.salt_key()

    async def late(hours: float) -> int:
        at = NOON + timedelta(hours=hours)
        return await look(quiet.database, at=at, rules=[audit_late.RULE], audit_late_h=30, salt_key=key)

    await tell(quiet.database, quiet.keys, WHOLE, at=NOON)
    assert await late(29) == 0
    logged(quiet, [("log:audit", NOON + timedelta(hours=20), uuid4())])
    quiet.tamper("""
        INSERT INTO event (id, at, name, parties, body, commitment)
        SELECT gen_random_uuid(), at + interval '1 day', name, parties, body
            || jsonb_build_object('looked_at_ms', (body ->> 'looked_at_ms')::bigint + 86400000), commitment
        FROM event WHERE name = 'log:audit' AND body ? 'seal'
    """)
    assert await late(31) == 1


@pytest.mark.parametrize(
    ("withdrawn_h", "replaced_h", "word", "found"),
    [
        (-2, -3, "withdrawn", 1), (-3, -2, "expired", 1), (-2, -3, "given", 0), (-5, -3, "withdrawn", 0),
        (1, -3, "withdrawn", 0), (-2, 1, "withdrawn", 0),
    ],
)  # fmt: skip
async def test_an_older_version_s_answer_that_was_fetched_after_a_withdrawal_is_found(
    quiet: Log, withdrawn_h: int, replaced_h: int, word: str, found: int
) -> None:
    """Hours from the fetch; the query was asked four hours before."""
    ids = {name: uuid4() for name in ("event", "query", "agreement", "dataset", "other")}
    event, query, agreement, dataset, other = ids.values()
    with psycopg.connect(embedded.url(quiet.config.home, OWNER)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO event (id, at, name, parties, dataset_id, agreement_id, query_id, purpose, version_id,"
            " body, commitment) VALUES (%s, %s, 'query:fetch', '{}', %s, %s, %s, 'product.rnd', 'old', '{}', '')",
            (event, NOON, dataset, agreement, query),
        )
        connection.execute("INSERT INTO audit_leaf (index, event_id, data) VALUES (0, %s, '')", (event,))
        connection.execute("INSERT INTO checkpoint (size, root, note, at) VALUES (1, '', '', now())")
        connection.execute(
            "INSERT INTO query (id, organisation_id, person_id, purpose, sql, state, bytes, quote_vnd, decision,"
            " rho_micro, created_at) VALUES (%s, %s, %s, 'product.rnd', '', 'ready', 1, 1, '{}', 0, %s)",
            (query, other, other, NOON - timedelta(hours=4)),
        )
        connection.execute(
            "INSERT INTO query_line (query_id, agreement_id, decision_id, dataset_id, owner_id, version_id,"
            " columns, bytes, quote_vnd, excluded_seen) VALUES (%s, %s, %s, %s, %s, 'old', '{}', 1, 1, 0)",
            (query, agreement, query, dataset, other),
        )
        for number, version, hours in ((1, "old", -9), (2, "new", replaced_h)):
            connection.execute(
                "INSERT INTO dataset_version (id, dataset_id, number, body, sample, published_by, created_at)"
                " VALUES (%s, %s, %s, '{}', '[]', %s, %s)",
                (version, dataset, number, other, NOON + timedelta(hours=hours)),
            )
        connection.execute(
            "INSERT INTO consent_event (id, dataset_id, subject, purpose, event, at, recorded_at)"
            " VALUES (%s, %s, '', 'product.rnd', %s, %s, %s)",
            (other, dataset, word, NOON, NOON + timedelta(hours=withdrawn_h)),
        )
    try:
        assert await look(quiet.database, at=NOON, rules=[consent_used.RULE]) == found
    finally:
        tables = ("query", "query_line", "dataset_version", "consent_event")
        quiet.tamper(*(f"DELETE FROM {table}" for table in tables))
