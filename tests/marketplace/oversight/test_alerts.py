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

from marketplace.db import embedded
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.oversight.alerts import RULES, look
from marketplace.oversight.duties_api import handlers
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
    made = {rule: uuid4() for rule in ("night_export", "audit_failed", "audit_late", "rule_stuck", "free_spent")}
    insert = text(
        "INSERT INTO alert (id, rule, cause, told, raised_at) VALUES (CAST(:id AS uuid), :rule, :id, '{}', now())"
    )
    async with database.session() as session:
        await session.execute(insert, [{"id": str(id), "rule": rule} for rule, id in made.items()])
    for token, seen in (
        (regulator.token, set(made)),
        (operator.token, {"audit_failed", "audit_late", "rule_stuck", "free_spent"}),
    ):
        items = (await client.get(ALERTS, token=token)).json()["items"]
        assert {rule for rule, id in made.items() if str(id) in {each["id"] for each in items}} == seen
