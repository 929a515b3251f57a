"""Alerts: each rule finds what it is for and nothing beside it, once a cause; acknowledged with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.db import embedded
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.oversight.alerts import RULES, look
from marketplace.oversight.duties_api import handlers
from marketplace.oversight.rules import audit_late, consent_used
from marketplace.oversight.rules.class_drift import class_of
from marketplace.oversight.rules.rule import Cause, Rule, Span, thresholds_at
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.audit.conftest import Log
from tests.marketplace.parties import Make

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
"""In Viet Nam."""
ALERTS = "/api/v1/alerts"


def logged(log: Log, events: Sequence[tuple[str, datetime, UUID]]) -> None:
    """Events of organisations at instants of the past, with their leaves."""
    with psycopg.connect(embedded.url(log.config.home, OWNER)) as connection:
        connection.execute("SET session_replication_role = replica")
        (first,) = connection.execute("SELECT coalesce(max(index) + 1, 0) FROM audit_leaf").fetchone() or (0,)
        for leaf, (name, at, organisation_id) in enumerate(events, first):
            event_id = new_id()
            connection.execute(
                "INSERT INTO event (id, at, name, actor_organisation_id, parties, body, commitment)"
                " VALUES (%s, %s, %s, %s, %s, '{}', '')",
                (event_id, at, name, organisation_id, [organisation_id]),
            )
            connection.execute(
                "INSERT INTO audit_leaf (index, event_id, data) VALUES (%s, %s, '')", (leaf, event_id)
            )
        connection.execute(
            "INSERT INTO checkpoint (size, root, note, at) VALUES (%s, '', '', now())", (first + len(events),)
        )


@pytest.fixture
def quiet(log: Log) -> Log:
    """A log of which nothing was looked at yet, without alerts."""
    with psycopg.connect(embedded.url(log.config.home, OWNER)) as connection:
        connection.execute("DELETE FROM alert")
        connection.execute("DELETE FROM alert_progress")
    return log


async def raised(log: Log) -> list[tuple[str, UUID | None]]:
    async with log.database.session() as session:
        rows = await session.execute(text("SELECT rule, organisation_id FROM alert ORDER BY raised_at, id"))
        return [(row.rule, row.organisation_id) for row in rows]


async def test_as_many_denials_in_as_many_minutes_are_a_burst_and_one_fewer_is_none(quiet: Log) -> None:
    limits = thresholds_at(NOON)
    assert limits
    busy, patient, few = uuid4(), uuid4(), uuid4()
    step = timedelta(minutes=limits.denials_window_minutes) / limits.denials
    logged(quiet, [("query:deny", NOON + n * step / 2, busy) for n in range(limits.denials)])
    logged(quiet, [("quote:deny", NOON + n * step * 2, patient) for n in range(limits.denials)])
    logged(quiet, [("query:deny", NOON, few) for _ in range(limits.denials - 1)])
    assert await look(quiet.database, at=NOON) == 1
    assert await raised(quiet) == [("denial_burst", busy)]


async def test_what_follows_a_burst_does_not_hide_it(quiet: Log) -> None:
    limits = thresholds_at(NOON)
    assert limits
    hasty, slow = uuid4(), uuid4()
    for who, count in ((hasty, limits.denials), (slow, limits.denials - 1)):
        later = NOON + timedelta(minutes=limits.denials_window_minutes)
        logged(quiet, [("query:deny", NOON, who) for _ in range(count)] + [("quote:deny", later, who)])
    assert await look(quiet.database, at=NOON) == 1
    assert await raised(quiet) == [("denial_burst", hasty)]


async def test_a_cause_is_told_once_however_often_it_is_looked_at(quiet: Log) -> None:
    night = NOON.replace(hour=16)
    who = uuid4()
    logged(quiet, [("query:fetch", night, who), ("log:export", night + timedelta(hours=5), who)])
    assert await look(quiet.database, at=NOON) == 1
    quiet.tamper("UPDATE alert_progress SET leaf = 0")
    assert await look(quiet.database, at=NOON) == 0
    logged(quiet, [("query:fetch", night + timedelta(days=1), who)])
    assert await look(quiet.database, at=NOON) == 1
    assert await raised(quiet) == [("night_export", who)] * 2
    assert await quiet.one("SELECT count(*) FROM event WHERE name = 'alert:raise'") == 2


async def test_a_rule_that_fails_stops_no_other_and_leaves_nothing_half_done(quiet: Log) -> None:
    async def fails(session: AsyncSession, span: Span) -> list[Cause]:
        await session.execute(text("SELECT 1 / 0"))
        raise AssertionError

    async def tells(session: AsyncSession, span: Span) -> list[Cause]:
        return [Cause(key="one", told={})]

    async def half(session: AsyncSession, span: Span) -> list[Cause]:
        return [Cause(key="two", told={}), Cause(key="three", told={"what": object()})]

    rules = [Rule("fails", fails), Rule("half", half), Rule("tells", tells)]
    logged(quiet, [("query:deny", NOON, uuid4())])
    assert await look(quiet.database, at=NOON, rules=rules) == 3
    assert [rule for rule, _ in await raised(quiet)] == ["rule_stuck", "rule_stuck", "tells"]
    assert [await place(quiet, rule) for rule in ("fails", "half", "tells")] == [0, 0, 1]
    assert await look(quiet.database, at=NOON, rules=rules) == 0, "a rule that stays where it is is told once"


async def place(log: Log, rule: str) -> int:
    """The first leaf that the rule did not see."""
    return int(await log.one("SELECT leaf FROM alert_progress WHERE rule = :rule", rule=rule))


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
    for found in ([], ["log.event_changed: x", "log.leaf_missing: 4"]):
        async with quiet.database.session() as session:
            await record(session, "log:audit", body={"size": 8, "differences": len(found), "named": found})
    assert await look(quiet.database, at=utcnow()) == 1
    assert [rule for rule, _ in await raised(quiet)] == ["audit_failed"]
    told = await quiet.one("SELECT told FROM alert")
    assert (told["differences"], told["named"]) == (2, "log.event_changed: x; log.leaf_missing: 4")
    assert await look(quiet.database, at=utcnow()) == 0


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


@pytest.mark.parametrize(("hour", "is_night"), [(14, False), (15, True), (22, True), (23, False), (4, False)])
async def test_night_is_told_by_the_clock_of_viet_nam(quiet: Log, hour: int, is_night: bool) -> None:
    logged(quiet, [("query:fetch", NOON.replace(hour=hour), uuid4())])
    assert await look(quiet.database, at=NOON) == is_night


@pytest.mark.parametrize("name", ["query:settle", "query:fetch"])
async def test_a_settled_query_or_a_fetched_answer_that_missed_a_withdrawal_is_found(
    quiet: Log, name: str
) -> None:
    """It cannot be brought about by any verb, so it is written into the tables."""
    event, query, agreement, dataset, version = uuid4(), uuid4(), uuid4(), uuid4(), "ab" * 32
    with psycopg.connect(embedded.url(quiet.config.home, OWNER)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO event (id, at, name, parties, dataset_id, agreement_id, query_id, purpose, version_id,"
            " body, commitment) VALUES (%s, %s, %s, '{}', %s, %s, %s, 'product.rnd', %s, '{}', '')",
            (event, NOON, name, dataset, agreement, query, version),
        )
        connection.execute("INSERT INTO audit_leaf (index, event_id, data) VALUES (0, %s, '')", (event,))
        connection.execute("INSERT INTO checkpoint (size, root, note, at) VALUES (1, '', '', now())")
        connection.execute(
            "INSERT INTO query_line (query_id, agreement_id, decision_id, dataset_id, owner_id, version_id,"
            " columns, bytes, quote_vnd, excluded_seen) VALUES (%s, %s, %s, %s, %s, %s, '{}', 1, 1, 1)",
            (query, agreement, query, dataset, uuid4(), version),
        )
        for cohort, purpose, minutes in ((1, None, -5), (2, "product.rnd", 5), (3, "public.service", -5)):
            connection.execute(
                "INSERT INTO excluded_cohort (id, version_id, cohort, purpose, revision, created_at)"
                " VALUES (%s, %s, %s, %s, 1, %s)",
                (uuid4(), version, cohort, purpose, NOON + timedelta(minutes=minutes)),
            )
    assert await look(quiet.database, at=NOON) == 0
    quiet.tamper("UPDATE alert_progress SET leaf = 0", "UPDATE query_line SET excluded_seen = 0")
    assert await look(quiet.database, at=NOON) == 1
    assert [rule for rule, _ in await raised(quiet)] == ["consent_used"]
    quiet.tamper("DELETE FROM query_line", "DELETE FROM excluded_cohort")


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


@pytest.mark.parametrize(
    ("persons", "personal", "due"),
    [
        (9_999, ["sensitive"], "internal"), (10_000, ["sensitive"], "important"), (99_999, ["basic"], "internal"),
        (100_000, ["basic", "none"], "important"), (100_000, ["basic", "sensitive"], "core"),
    ],
)  # fmt: skip
def test_the_class_of_a_version_is_that_of_the_law(persons: int, personal: list[str], due: str) -> None:
    thresholds = {
        "basic": {"important": 100_000, "core": 1_000_000},
        "sensitive": {"important": 10_000, "core": 100_000},
    }
    assert class_of(thresholds, persons, personal) == due


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.fixture
async def client(client_for: ClientFor) -> AsyncIterator[Client]:
    async with client_for(*handlers) as client:
        yield client


async def test_an_alert_is_acknowledged_once_with_a_reason_and_that_is_logged(
    client: Client, database: Database, make: Make
) -> None:
    regulator, startup = await make.party(database, kind="regulator"), await make.party(database)
    operator, alert_id = await make.party(database, kind="operator"), uuid4()
    async with database.session() as session:
        await session.execute(
            text(
                "INSERT INTO alert (id, rule, cause, told, raised_at)"
                " VALUES (:id, 'night_export', CAST(CAST(:id AS uuid) AS text), '{}', now())"
            ),
            {"id": alert_id},
        )
    path, body = f"{ALERTS}/{alert_id}/acknowledge", {"reason": "Đã hỏi bên thuê, là việc đã báo trước."}
    for token, status in ((None, 401), (startup.token, 403), (operator.token, 403)):
        assert (await client.get(ALERTS, token=token)).status_code == (200 if token == operator.token else status)
        assert (await client.post(path, token=token, json=body)).status_code == status
    assert (await client.post(path, token=regulator.token, json={"reason": "ngắn"})).status_code == 400
    assert (
        await client.post(f"{ALERTS}/{uuid4()}/acknowledge", token=regulator.token, json=body)
    ).status_code == 404
    answer = await client.post(path, token=regulator.token, json=body)
    assert (answer.status_code, answer.json()["reason"]) == (200, body["reason"])
    again = await client.post(path, token=regulator.token, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "alert.answered")
    for is_open in (True, False):
        page = await client.get(ALERTS, token=regulator.token, params={"is_open": is_open})
        assert (str(alert_id) in {each["id"] for each in page.json()["items"]}) is not is_open
    query = "SELECT body FROM event WHERE name = 'alert:acknowledge' AND body ->> 'alert' = :id"
    async with database.session() as session:
        told = await session.scalar(text(query), {"id": str(alert_id)})
    assert told == msgspec.to_builtins({"alert": str(alert_id), "rule": "night_export", "reason": body["reason"]})


async def test_the_operator_sees_the_alerts_about_the_exchange_and_no_others(
    client: Client, database: Database, make: Make
) -> None:
    regulator, operator = await make.party(database, kind="regulator"), await make.party(database, kind="operator")
    made = {rule: uuid4() for rule in ("night_export", "audit_failed", "audit_late", "rule_stuck")}
    insert = text(
        "INSERT INTO alert (id, rule, cause, told, raised_at) VALUES (CAST(:id AS uuid), :rule, :id, '{}', now())"
    )
    async with database.session() as session:
        await session.execute(insert, [{"id": str(id), "rule": rule} for rule, id in made.items()])
    for token, seen in (
        (regulator.token, set(made)),
        (operator.token, {"audit_failed", "audit_late", "rule_stuck"}),
    ):
        items = (await client.get(ALERTS, token=token)).json()["items"]
        assert {rule for rule, id in made.items() if str(id) in {each["id"] for each in items}} == seen
