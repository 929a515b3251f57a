"""The clocks of the law: working days, holidays, what came late, and who may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.calendar import VIETNAM, is_working_day, public_holidays
from marketplace.consents.actors import DataSubject
from marketplace.consents.api import handlers
from marketplace.consents.deadlines import (
    LAW,
    Days,
    acknowledge_by,
    days_on,
    stop_by,
)
from marketplace.consents.late import Clocks, read_clocks
from marketplace.consents.models import ConsentEvent
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.consents.conftest import PEOPLE, PURPOSES, Listed
from tests.marketplace.consents.test_register import say
from tests.marketplace.parties import Make

TODAY = Days(acknowledge_working_days=2, stop_days=15)


@pytest.mark.parametrize(
    ("said", "due"),
    [
        (date(2026, 11, 17), date(2026, 11, 19)),
        (date(2026, 11, 19), date(2026, 11, 23)),
        (date(2026, 11, 21), date(2026, 11, 24)),
        (date(2026, 4, 24), date(2026, 4, 29)),
        (date(2026, 4, 29), date(2026, 5, 5)),
    ],
    ids=["in the week", "over a weekend", "on a Saturday", "over a holiday", "over two holidays and a weekend"],
)
def test_two_working_days_to_acknowledge(said: date, due: date) -> None:
    assert acknowledge_by(said, TODAY) == due


def test_the_law_holds_from_its_day_on() -> None:
    assert days_on(date(2026, 1, 1)) == TODAY
    assert days_on(date(2025, 12, 31)) is None
    assert stop_by(date(2026, 11, 20), TODAY) == date(2026, 12, 5)


@given(said=st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_the_last_day_is_a_working_day_and_no_earlier_one_would_do(said: date) -> None:
    due = acknowledge_by(said, TODAY)
    between = [said + timedelta(days=n) for n in range(1, (due - said).days + 1)]
    assert is_working_day(due)
    assert sum(map(is_working_day, between)) == TODAY.acknowledge_working_days
    assert not any(is_working_day(day) for day in public_holidays())


async def _record(database: Database, listed: Listed, *, said: datetime, recorded: datetime, subject: int) -> None:
    async with database.session() as session:
        session.add(
            ConsentEvent(
                dataset_id=listed.dataset_id, subject=subject.to_bytes(16, "big"), purpose=PURPOSES[0],
                event="withdrawn", at=said, recorded_at=recorded, recorded_by=listed.owner.person.id,
            )
        )  # fmt: skip


async def _clocks(database: Database, listed: Listed) -> Clocks:
    async with database.reading() as session:
        return await read_clocks(session, owner_id=listed.owner.organisation.id)


async def test_what_reached_the_exchange_late_is_late_by_the_second(database: Database, listed: Listed) -> None:
    """Said two and a half weeks ago at noon; recorded in the last second of the due day, and one later."""
    said = utcnow().astimezone(VIETNAM).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=18)
    ends = {
        deed: datetime.combine(due + timedelta(days=1), datetime.min.time(), VIETNAM).astimezone(UTC)
        for deed, due in (
            ("acknowledge", acknowledge_by(said.date(), TODAY)), ("stop", stop_by(said.date(), TODAY)),
        )
    }  # fmt: skip
    for number, end in enumerate(ends.values()):
        for seconds in (-1, 0):
            recorded = end + timedelta(seconds=seconds)
            await _record(database, listed, said=said, recorded=recorded, subject=2 * number - seconds)
    clocks = await _clocks(database, listed)
    (item,) = clocks.items
    assert (item.acknowledged, item.acknowledged_late, item.stopped, item.stopped_late) == (4, 3, 4, 1)
    assert clocks.law == LAW
    assert {(each.deed, each.events) for each in clocks.late} == {("acknowledge", 1), ("stop", 1)}
    assert all(each.recorded > each.due for each in clocks.late)


async def test_what_a_person_says_herself_is_not_told_to_the_owner(database: Database, listed: Listed) -> None:
    """The number would rise with her act."""
    await say(database, listed, "withdrawn", PEOPLE[0], by=DataSubject(subject=PEOPLE[0]))
    assert (await _clocks(database, listed)).items == ()
    async with database.reading() as session:
        everybody = await read_clocks(session, owner_id=None)
    mine = [item for item in everybody.items if item.dataset_id == listed.dataset_id]
    assert [(item.acknowledged, item.acknowledged_late) for item in mine] == [(1, 0)]


@pytest.fixture
async def client(client_for: ClientFor, listed: Listed) -> AsyncIterator[Client]:
    async with client_for(*handlers, store=listed.store, keys=listed.keys) as client:
        yield client


async def test_owners_see_their_own_and_the_regulator_all(
    client: Client, listed: Listed, database: Database, make: Make
) -> None:
    await _record(database, listed, said=utcnow() - timedelta(days=30), recorded=utcnow(), subject=1)
    path = "/api/v1/consents/late"
    rival, regulator = await make.party(database, kind="owner"), await make.party(database, kind="regulator")
    startup = await make.party(database, kind="startup")
    for token, status in ((None, 401), (startup.token, 403), (rival.token, 200)):
        answer = await client.get(path, token=token)
        assert answer.status_code == status
    assert (answer.json()["items"], answer.json()["late"]) == ([], [])
    for token in (listed.owner.token, regulator.token):
        told = (await client.get(path, token=token)).json()
        mine = [item for item in told["items"] if item["dataset_id"] == str(listed.dataset_id)]
        assert [(item["acknowledged_late"], item["stopped_late"]) for item in mine] == [(1, 1)]
