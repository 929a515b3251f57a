"""Withdrawn bites at once, by whole cohorts; given waits for the next version; who is in, nobody learns."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, select, text

from marketplace.audit.models import Event
from marketplace.audit.reads import Viewer
from marketplace.consents.actions import record_consent_event
from marketplace.consents.actors import DataSubject
from marketplace.consents.cohorts import take_out_everybody
from marketplace.consents.models import ConsentEvent
from marketplace.consents.reads import excluded
from marketplace.consents.schemas import ConsentReceipt, Said
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.locks import lock_version
from marketplace.errors import NotFound, Problem
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.reads import read_dataset
from marketplace.oversight.search import Search
from marketplace.oversight.viewing import view_events
from tests.marketplace.consents.conftest import PEOPLE, PURPOSES, Listed
from tests.marketplace.parties import Make

PURPOSE, OTHER = PURPOSES
STRANGER = "790000009999"


async def say(
    database: Database, listed: Listed, said: Said, subject: str, *, ago: timedelta = timedelta(), **more: Any
) -> ConsentReceipt:
    given = {"by": listed.by, "dataset_id": listed.dataset_id, "purpose": PURPOSE, **more}
    async with database.session() as session:
        return await record_consent_event(
            session, consent_id=new_id(), subject=subject, event=said, at=utcnow() - ago, store=listed.store,
            keys=listed.keys, **given,
        )  # fmt: skip


async def gone(database: Database, listed: Listed, purpose: str = PURPOSE) -> tuple[frozenset[int], int]:
    async with database.session() as session:
        return await excluded(session, listed.version_id, purpose)


async def events_of(database: Database, listed: Listed) -> list[Event]:
    async with database.session() as session:
        chosen = select(Event).where(Event.dataset_id == listed.dataset_id).order_by(Event.id)
        return list((await session.scalars(chosen)).all())


async def test_a_withdrawal_takes_the_whole_cohort_out_for_its_purpose_only(
    database: Database, listed: Listed
) -> None:
    await say(database, listed, "withdrawn", PEOPLE[13])
    assert await gone(database, listed) == (frozenset({1}), 1)
    assert await gone(database, listed, OTHER) == (frozenset(), 0)


async def test_a_second_of_the_cohort_changes_nothing_more_and_another_cohort_makes_a_new_revision(
    database: Database, listed: Listed
) -> None:
    for subject in (PEOPLE[13], PEOPLE[14], PEOPLE[13], PEOPLE[2]):
        await say(database, listed, "withdrawn", subject)
    assert await gone(database, listed) == (frozenset({0, 1}), 2)


async def test_consent_given_again_does_not_bring_the_cohort_back_into_this_version(
    database: Database, listed: Listed
) -> None:
    await say(database, listed, "withdrawn", PEOPLE[13])
    await say(database, listed, "given", PEOPLE[13])
    assert await gone(database, listed) == (frozenset({1}), 1)
    async with database.session() as session:
        assert await listed.standing(session) == {(listed.pseudonym(PEOPLE[13]), 1, 0)}
        await listed.release(session, PEOPLE)
        await take_out_everybody(
            session, dataset_id=listed.dataset_id, version_id=listed.version_id, store=listed.store
        )
    assert await gone(database, listed) == (frozenset(), 0)


async def test_the_newest_word_of_a_person_counts_whenever_it_arrives(database: Database, listed: Listed) -> None:
    await say(database, listed, "given", PEOPLE[3], ago=timedelta(hours=1))
    await say(database, listed, "withdrawn", PEOPLE[3], ago=timedelta(hours=2))
    assert await gone(database, listed) == (frozenset(), 0)
    await say(database, listed, "withdrawn", PEOPLE[4], ago=timedelta(hours=1))
    await say(database, listed, "given", PEOPLE[4], ago=timedelta(hours=2))
    async with database.session() as session:
        assert await listed.standing(session) == {
            (listed.pseudonym(PEOPLE[3]), 1, 0), (listed.pseudonym(PEOPLE[4]), 0, 1),
        }  # fmt: skip


async def test_a_clock_that_runs_ahead_does_not_make_consent_outlast_a_withdrawal(
    database: Database, listed: Listed
) -> None:
    await say(database, listed, "given", PEOPLE[3], ago=timedelta(minutes=-4))
    await say(database, listed, "withdrawn", PEOPLE[3])
    assert await gone(database, listed) == (frozenset({0}), 1)


async def test_who_withdrew_while_a_version_was_made_is_out_of_it_from_the_start(
    database: Database, listed: Listed
) -> None:
    await say(database, listed, "withdrawn", PEOPLE[5])
    async with database.session() as session:
        await listed.release(session, PEOPLE[::-1])
        taken = await take_out_everybody(
            session, dataset_id=listed.dataset_id, version_id=listed.version_id, store=listed.store
        )
    assert taken == 1
    assert await gone(database, listed) == (frozenset({PEOPLE[::-1].index(PEOPLE[5]) // 10}), 1)


async def test_the_subject_is_nowhere_in_clear(database: Database, listed: Listed) -> None:
    await say(database, listed, "withdrawn", PEOPLE[13])
    async with database.session() as session:
        rows = (
            await session.scalars(select(ConsentEvent).where(ConsentEvent.dataset_id == listed.dataset_id))
        ).all()
        assert [row.subject for row in rows] == [listed.pseudonym(PEOPLE[13])]
        dump = await session.scalars(
            text("SELECT event::text FROM event WHERE dataset_id = :id"), {"id": listed.dataset_id}
        )
        told = " ".join(dump)
    assert PEOPLE[13] not in told
    assert listed.pseudonym(PEOPLE[13]).hex() not in told


async def test_answer_and_log_are_alike_whether_or_not_the_person_is_in(
    database: Database, listed: Listed
) -> None:
    answers, logged = [], []
    for subject in (PEOPLE[13], STRANGER):
        before = len(await events_of(database, listed))
        answers.append(await say(database, listed, "withdrawn", subject))
        logged.append((await events_of(database, listed))[before:])
    assert [(each.purpose, each.event) for each in answers] == [(PURPOSE, "withdrawn")] * 2
    shapes = [[(each.name, each.version_id, sorted(each.body)) for each in events] for events in logged]
    assert shapes[0] == shapes[1]
    assert [each.name for each in logged[0]] == ["consent:withdraw", "dataset:revision"]
    withdrawn = logged[0][0]
    assert (withdrawn.revision, withdrawn.version_id) == (None, None)
    assert [events[1].revision for events in logged] == [1, 1]


async def test_the_same_statements_run_whether_or_not_the_person_is_in(database: Database, listed: Listed) -> None:
    """Time tells nothing either: the database is asked the same, in the same order."""
    ran: list[list[str]] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        ran[-1].append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        for subject in (PEOPLE[13], STRANGER):
            ran.append([])
            await say(database, listed, "withdrawn", subject)
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    assert ran[0] == ran[1]
    assert len(ran[0]) > 5


async def test_a_failed_audit_insert_leaves_the_register_as_it_was(
    database: Database, listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("marketplace.consents.actions.record", broken)
    with pytest.raises(ZeroDivisionError):
        await say(database, listed, "withdrawn", PEOPLE[13])
    assert await gone(database, listed) == (frozenset(), 0)
    async with database.session() as session:
        assert await listed.standing(session) == set()


async def test_a_withdrawal_waits_for_a_settling_query_and_the_next_sees_it(
    database: Database, listed: Listed
) -> None:
    async with database.session() as settling:
        await lock_version(settling, listed.version_id, shared=True)
        saying = asyncio.create_task(say(database, listed, "withdrawn", PEOPLE[13]))
        await asyncio.sleep(0.1)
        assert not saying.done()
    await asyncio.wait_for(saying, 5)
    assert await gone(database, listed) == (frozenset({1}), 1)


async def test_many_withdrawals_at_once_all_count(database: Database, listed: Listed) -> None:
    await asyncio.gather(*(say(database, listed, "withdrawn", subject) for subject in PEOPLE))
    assert await gone(database, listed) == (frozenset({0, 1}), 2)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"purpose": "model.training"}, "consent.purpose_unknown"),
        ({"subject": "  "}, "consent.subject_length"),
        ({"subject": "9" * 257}, "consent.subject_length"),
        ({"ago": timedelta(minutes=-6)}, "consent.in_the_future"),
    ],
)
async def test_what_cannot_be_recorded_is_refused_alike_for_everybody(
    database: Database, listed: Listed, more: dict[str, Any], code: str
) -> None:
    subject = more.pop("subject", PEOPLE[0])
    with pytest.raises(Problem) as told:
        await say(database, listed, "withdrawn", subject, **more)
    assert told.value.code == code


async def test_a_dataset_by_row_names_nobody_and_takes_no_consent(database: Database, listed: Listed) -> None:
    async with database.session() as session:
        await session.execute(
            text('UPDATE dataset SET manifest = manifest || \'{"privacy_unit": "row"}\' WHERE id = :id'),
            {"id": listed.dataset_id},
        )
    with pytest.raises(Problem) as told:
        await say(database, listed, "withdrawn", PEOPLE[0])
    assert told.value.code == "consent.no_subjects"


async def test_another_owner_finds_no_such_dataset(database: Database, listed: Listed, make: Make) -> None:
    other = await make.party(database, kind="owner")
    stranger = Listed(other, listed.dataset_id, listed.lineage_id, "", listed.store, listed.keys)
    for dataset_id in (listed.dataset_id, uuid4()):
        with pytest.raises(NotFound):
            await say(database, stranger, "withdrawn", PEOPLE[0], dataset_id=dataset_id)


async def test_a_person_withdraws_herself_and_leaves_no_name_and_no_event_for_the_owner(
    database: Database, listed: Listed
) -> None:
    await say(database, listed, "withdrawn", PEOPLE[13], by=DataSubject(subject=f" {PEOPLE[13]}"))
    assert await gone(database, listed) == (frozenset({1}), 1)
    logged = await events_of(database, listed)
    assert [each.name for each in logged] == ["consent:withdraw", "dataset:revision"]
    assert {(each.actor_person_id, each.actor_organisation_id, *each.parties) for each in logged} == {(None, None)}
    async with database.session() as session:
        chosen = select(ConsentEvent.recorded_by).where(ConsentEvent.dataset_id == listed.dataset_id)
        assert (await session.scalars(chosen)).all() == [None]


async def test_a_person_speaks_for_nobody_else(database: Database, listed: Listed) -> None:
    with pytest.raises(Problem) as told:
        await say(database, listed, "withdrawn", PEOPLE[14], by=DataSubject(subject=PEOPLE[13]))
    assert told.value.code == "consent.other_subject"
    assert await gone(database, listed) == (frozenset(), 0)


def test_a_subject_key_is_one_person_however_it_is_typed(listed: Listed) -> None:
    assert listed.pseudonym(" Đỗ ") == listed.pseudonym("Đỗ")
    assert listed.pseudonym("Đỗ") != listed.pseudonym("Đô")


async def test_startups_see_a_new_revision_number_and_nothing_else(
    database: Database, listed: Listed, make: Make
) -> None:
    """The catalogue, the dataset's page and a startup's log read the same before and after."""
    startup = await make.party(database)

    async def shown() -> list[object]:
        viewer = Viewer(startup.person.id, startup.organisation.id, "startup")
        async with database.reading() as session:
            return [
                await read_dataset(session, listed.dataset_id),
                [item for item in (await list_datasets(session)).items if item.id == listed.dataset_id],
                await view_events(session, viewer, Search(dataset_id=listed.dataset_id)),
            ]

    before = await shown()
    for subject in (PEOPLE[13], PEOPLE[2]):
        await say(database, listed, "withdrawn", subject)
    assert await shown() == before
    assert await gone(database, listed) == (frozenset({0, 1}), 2)
