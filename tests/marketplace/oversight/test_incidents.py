"""Incidents: the law's clock, who sees which, the states, and what the report counts from the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from marketplace.audit.actions import record
from marketplace.audit.reads import Viewer
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.oversight.alerts import look
from marketplace.oversight.duties_api import handlers
from marketplace.oversight.incidents import TRANSITIONS
from marketplace.oversight.rules import incident_due
from marketplace.oversight.search import Search
from marketplace.oversight.viewing import view_events
from tests.conftest import ClientFor
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.api import Client
from tests.marketplace.audit.bodies import settled
from tests.marketplace.parties import Make, Party

INCIDENTS = "/api/v1/incidents"
NOTE = "Tệp xuất bị gửi nhầm cho bên ngoài."


@pytest.fixture
async def client(client_for: ClientFor) -> AsyncIterator[Client]:
    async with client_for(*handlers) as client:
        yield client


@pytest.fixture
async def sides(database: Database) -> Sides:
    return await open_sides(database)


@pytest.fixture
async def regulator(database: Database, make: Make) -> Party:
    return await make.party(database, kind="regulator")


def asked(sides: Sides, known: datetime, **more: Any) -> dict[str, Any]:
    times = {"since": known - timedelta(days=1), "until": known, "known_at": known}
    told = {name: at.isoformat() for name, at in times.items()}
    return {"title": "Gửi nhầm tệp", "note": NOTE, "dataset_ids": [str(sides.dataset_id)], **told, **more}


async def test_the_clock_runs_72_hours_from_when_it_is_known(client: Client, sides: Sides) -> None:
    known = utcnow() - timedelta(hours=71)
    answer = await client.post(INCIDENTS, token=sides.owner.token, json=asked(sides, known))
    assert answer.status_code == 201, answer.text
    incident = answer.json()["incident"]
    assert datetime.fromisoformat(incident["report_by"]) == known + timedelta(hours=72)
    assert (incident["state"], incident["late"]) == ("open", False)
    late = await client.post(INCIDENTS, token=sides.owner.token, json=asked(sides, known - timedelta(hours=2)))
    assert late.json()["incident"]["late"] is True


async def test_a_late_report_was_late_wherever_it_is_shown_and_one_in_time_is_not(
    client: Client, sides: Sides
) -> None:
    for hours, is_late in ((74, True), (70, False)):
        body = asked(sides, utcnow() - timedelta(hours=hours))
        made = (await client.post(INCIDENTS, token=sides.owner.token, json=body)).json()["incident"]["id"]
        step = {"verb": "report", "note": NOTE}
        report = await client.post(f"{INCIDENTS}/{made}/steps", token=sides.owner.token, json=step)
        listed = (await client.get(INCIDENTS, token=sides.owner.token)).json()["items"]
        late = [each["late"] for each in (report.json()["incident"], *listed) if each["id"] == made]
        assert late == [is_late, is_late]


async def test_who_may_open_one_and_who_sees_it(
    client: Client, sides: Sides, regulator: Party, database: Database, make: Make
) -> None:
    operator, body = await make.party(database, kind="operator"), asked(sides, utcnow() - timedelta(hours=1))
    assert (await client.post(INCIDENTS, json=body)).status_code == 401
    assert (await client.post(INCIDENTS, token=sides.startup.token, json=body)).status_code == 403
    assert (await client.post(INCIDENTS, token=sides.rival_owner.token, json=body)).status_code == 404
    made = (await client.post(INCIDENTS, token=regulator.token, json=body)).json()["incident"]["id"]
    path = f"{INCIDENTS}/{made}"
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, token=sides.startup.token)).status_code == 403
    assert (await client.get(path, token=sides.rival_owner.token)).status_code == 404
    for token in (sides.owner.token, regulator.token, operator.token):
        assert (await client.get(path, token=token)).status_code == 200
        assert made in {each["id"] for each in (await client.get(INCIDENTS, token=token)).json()["items"]}
    rivals = await client.get(INCIDENTS, token=sides.rival_owner.token)
    assert made not in {each["id"] for each in rivals.json()["items"]}


async def test_its_states_and_that_only_the_regulator_closes(
    client: Client, sides: Sides, regulator: Party
) -> None:
    body = asked(sides, utcnow() - timedelta(hours=1))
    made = await client.post(INCIDENTS, token=sides.owner.token, json=body)
    path = f"{INCIDENTS}/{made.json()['incident']['id']}"

    async def step(verb: str, token: str) -> tuple[int, str]:
        answer = await client.post(f"{path}/steps", token=token, json={"verb": verb, "note": NOTE})
        told = answer.json()
        return answer.status_code, told["incident"]["state"] if answer.status_code == 201 else told["code"]

    assert await step("note", sides.rival_owner.token) == (404, "not_found")
    assert await step("close", regulator.token) == (409, "incident.over")
    assert await step("note", sides.owner.token) == (201, "open")
    assert await step("report", sides.owner.token) == (201, "reported")
    assert await step("dismiss", regulator.token) == (409, "incident.over")
    assert await step("close", sides.owner.token) == (403, "auth.forbidden")
    assert await step("close", regulator.token) == (201, "closed")
    assert await step("note", regulator.token) == (409, "incident.over")
    report = (await client.get(path, token=sides.owner.token)).json()
    assert [taken["verb"] for taken in report["timeline"]] == ["open", "note", "report", "close"]


async def test_an_owner_opens_one_of_its_own_datasets_alone_and_dismisses_only_that(
    client: Client, sides: Sides, regulator: Party, database: Database, make: Make
) -> None:
    other, operator = await open_sides(database), await make.party(database, kind="operator")
    body = asked(sides, utcnow())
    both = {**body, "dataset_ids": [str(sides.dataset_id), str(other.dataset_id)]}
    assert (await client.post(INCIDENTS, token=sides.owner.token, json=both)).status_code == 404

    async def dismissed(opener: Party, *by: Party) -> list[int]:
        made = (await client.post(INCIDENTS, token=opener.token, json=body)).json()["incident"]["id"]
        step = {"verb": "dismiss", "note": NOTE}
        path = f"{INCIDENTS}/{made}/steps"
        return [(await client.post(path, token=each.token, json=step)).status_code for each in by]

    assert await dismissed(regulator, sides.owner, operator, regulator) == [403, 403, 201]
    assert await dismissed(operator, sides.owner, operator, regulator) == [403, 403, 201]
    assert await dismissed(sides.owner, operator, sides.owner) == [403, 201]


def test_nothing_leads_out_of_what_is_over() -> None:
    assert {state for state, _ in TRANSITIONS} == {"open", "reported"}


async def test_the_report_counts_the_uses_in_its_time_and_an_owner_sees_its_own_datasets(
    client: Client, sides: Sides, regulator: Party, database: Database
) -> None:
    other = await open_sides(database)
    now = utcnow() - timedelta(seconds=1)
    agreement, query = uuid4(), uuid4()
    async with database.session() as session:
        for name, dataset, body in (
            ("query:settle", sides.dataset_id, settled()), ("test:event", sides.dataset_id, {}),
            ("query:settle", other.dataset_id, settled()),
        ):  # fmt: skip
            await record(
                session, name, actor_organisation_id=sides.startup.organisation.id, dataset_id=dataset,
                agreement_id=agreement, query_id=query, purpose="product.rnd", body=body,
            )  # fmt: skip
    later = utcnow()
    both = [str(sides.dataset_id), str(other.dataset_id)]
    body = asked(sides, later, since=now.isoformat(), until=later.isoformat(), dataset_ids=both)
    report = (await client.post(INCIDENTS, token=regulator.token, json=body)).json()
    assert {touched["dataset_id"] for touched in report["datasets"]} == set(both)
    assert {touched["persons"]["at_least"] % 10 for touched in report["datasets"]} == {0}
    assert [(use["queries"], use["startup_id"]) for use in report["uses"]] == [
        (1, str(sides.startup.organisation.id))
    ] * 2
    path = f"{INCIDENTS}/{report['incident']['id']}"
    mine = (await client.get(path, token=sides.owner.token)).json()
    assert [touched["dataset_id"] for touched in mine["datasets"]] == [str(sides.dataset_id)]
    assert [use["dataset_id"] for use in mine["uses"]] == [str(sides.dataset_id)]
    early = asked(sides, now, until=now.isoformat())
    assert (await client.post(INCIDENTS, token=regulator.token, json=early)).json()["uses"] == []


async def test_an_owner_learns_nothing_of_another_owner_through_an_incident(
    client: Client, sides: Sides, regulator: Party, database: Database
) -> None:
    other = await open_sides(database)
    owners, both = (sides.owner, other.owner), [str(sides.dataset_id), str(other.dataset_id)]
    body = asked(sides, utcnow(), dataset_ids=both)
    made = (await client.post(INCIDENTS, token=regulator.token, json=body)).json()["incident"]["id"]
    path = f"{INCIDENTS}/{made}"
    for owner in owners:
        step = {"verb": "note", "note": f"Ghi chú riêng của {owner.organisation.id}"}
        assert (await client.post(f"{path}/steps", token=owner.token, json=step)).status_code == 201
    for mine, other_owner, dataset_id in ((*owners, both[0]), (*owners[::-1], both[1])):
        answer = await client.get(path, token=mine.token)
        taken = [(each["verb"], each["organisation_id"]) for each in answer.json()["timeline"]]
        assert taken == [("open", str(regulator.organisation.id)), ("note", str(mine.organisation.id))]
        shown = await client.get(INCIDENTS, token=mine.token)
        (listed,) = [each for each in shown.json()["items"] if each["id"] == made]
        assert listed["dataset_ids"] == answer.json()["incident"]["dataset_ids"] == [dataset_id]
        async with database.session() as session:
            page = await view_events(session, Viewer(uuid4(), mine.organisation.id, "owner"), Search())
        events = [each for each in page.items if each.body and each.body.get("incident") == made]
        assert [each.name for each in events] == ["incident:note", "incident:open"]
        seen = f"{answer.text} {msgspec.json.encode(events).decode()}"
        assert str(other_owner.organisation.id) not in seen
        assert str(other_owner.person.id) not in seen
    full = (await client.get(path, token=regulator.token)).json()
    assert [len(full["timeline"]), full["incident"]["dataset_ids"]] == [3, sorted(both)]


@pytest.mark.parametrize("wrong", [{"since": "2027-01-01T00:00:00Z"}, {"known_at": "2100-01-01T00:00:00Z"}])
async def test_times_that_cannot_be_are_refused(client: Client, sides: Sides, wrong: dict[str, str]) -> None:
    answer = await client.post(INCIDENTS, token=sides.owner.token, json=asked(sides, utcnow(), **wrong))
    assert (answer.status_code, answer.json()["code"]) == (400, "incident.times_wrong")


async def test_the_same_key_opens_one(client: Client, sides: Sides) -> None:
    body, headers = asked(sides, utcnow()), {"Idempotency-Key": str(uuid4())}
    ids = {
        (await client.post(INCIDENTS, token=sides.owner.token, json=body, headers=headers)).json()["incident"][
            "id"
        ]
        for _ in range(2)
    }
    assert len(ids) == 1


async def test_a_deadline_near_and_a_deadline_past_are_one_alert_each_until_it_is_reported(
    client: Client, sides: Sides, regulator: Party, database: Database
) -> None:
    now = utcnow()
    answer = await client.post(INCIDENTS, token=sides.owner.token, json=asked(sides, now - timedelta(hours=60)))
    made = answer.json()["incident"]["id"]

    async def found(at: datetime) -> int:
        await look(database, at=at, rules=[incident_due.RULE])
        page = await client.get("/api/v1/alerts", token=regulator.token)
        return sum(each["told"].get("incident") == made for each in page.json()["items"])

    assert await found(now - timedelta(hours=20)) == 0
    assert [await found(now) for _ in range(2)] == [1, 1]
    assert await found(now + timedelta(hours=13)) == 2
    await client.post(f"{INCIDENTS}/{made}/steps", token=sides.owner.token, json={"verb": "report", "note": NOTE})
    assert await found(now + timedelta(hours=14)) == 2
