"""Being told of changes, and asking for what is not there."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Startup
from marketplace.audit.models import Event
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import NotFound
from marketplace.finding import demand, telling, watching
from marketplace.finding.errors import DemandClosed, TooManyDemands, TooManyWatches
from marketplace.finding.models import Demand, DemandVote
from marketplace.finding.watching import WatchBody, Watched
from marketplace.listings.models import Dataset
from marketplace.search.ranking import Found, find
from tests.marketplace.listed import list_dataset, standard_offer
from tests.marketplace.parties import Make, Party


def _caller(party: Party) -> Startup:
    return Startup(
        person_id=party.person.id, person_name="n", organisation_id=party.organisation.id, organisation_name="o",
        organisation_kind=party.organisation.kind, roles=(), scopes=("read", "agree"),
        organisation_suspended=False, via="token",
    )  # fmt: skip


async def _watched(database: Database, caller: Caller) -> Watched:
    async with database.session() as session:
        return await watching.read_watched(session, person_id=caller.person_id)


async def _tell_all_matches(database: Database, *, later: timedelta = timedelta(minutes=5)) -> None:
    while await telling.tell_matches(database, at=utcnow() + later):
        pass


async def test_who_watches_is_told_of_each_change_once(database: Database) -> None:
    make = Make()
    owner, startup, other = [await make.party(database, kind=kind) for kind in ("owner", "startup", "startup")]
    by, mark = _caller(startup), secrets.token_hex(6)
    async with database.session() as session:
        dataset = await list_dataset(session, owner.organisation, owner.person, title="Dân số")
        await watching.add_watch(session, asked=WatchBody(dataset=dataset.slug), by=by, at=utcnow())
        await watching.add_watch(session, asked=WatchBody(dataset=dataset.slug), by=by, at=utcnow())
        await watching.add_watch(session, asked=WatchBody(q=f"tàu cá {mark}"), by=by, at=utcnow())
    await telling.tell_changes(database, at=utcnow())
    assert (await _watched(database, by)).notices == ()
    async with database.session() as session:
        found = await session.get_one(Dataset, dataset.id)
        found.current_version_id = None
        offer = standard_offer(dataset.id, per_query_micro=1)
        offer.number = 2
        session.add(offer)
        await list_dataset(session, owner.organisation, owner.person, title=f"Nhật ký tàu cá {mark}")
        await list_dataset(session, owner.organisation, owner.person, title=f"Tàu hỏa {mark}")
    for _ in range(2):
        await telling.tell_changes(database, at=utcnow() + timedelta(seconds=1))
        await _tell_all_matches(database)
    told = await _watched(database, by)
    assert sorted(each.code for each in told.notices) == ["new_match", "price_changed", "withdrawn"]
    assert (told.unread, len(told.watches)) == (3, 2)
    async with database.session() as session:
        await watching.mark_read(session, by=by, at=utcnow())
        with pytest.raises(NotFound):
            await watching.remove_watch(session, watch_id=told.watches[0].id, by=_caller(other))
        for each in told.watches:
            await watching.remove_watch(session, watch_id=each.id, by=by)
        with pytest.raises(NotFound):
            await watching.add_watch(session, asked=WatchBody(dataset="khong_co"), by=by, at=utcnow())
    assert await _watched(database, by) == Watched(watches=(), notices=(), unread=0)


async def test_a_change_that_comes_back_is_told_again(database: Database) -> None:
    make = Make()
    owner, startup = [await make.party(database, kind=kind) for kind in ("owner", "startup")]
    by = _caller(startup)
    async with database.session() as session:
        dataset = await list_dataset(session, owner.organisation, owner.person)
        await watching.add_watch(session, asked=WatchBody(dataset=dataset.slug), by=by, at=utcnow())
    for released in (None, dataset.current_version_id, None):
        async with database.session() as session:
            (await session.get_one(Dataset, dataset.id)).current_version_id = released
        for _ in range(2):
            await telling.tell_changes(database, at=utcnow())
    told = [each.code for each in (await _watched(database, by)).notices]
    assert told == ["withdrawn", "new_version", "withdrawn"]


async def test_what_was_listed_while_nobody_looked_is_told_whatever_fails(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make = Make()
    owner, startup = [await make.party(database, kind=kind) for kind in ("owner", "startup")]
    by, mark = _caller(startup), secrets.token_hex(6)
    await _tell_all_matches(database)
    async with database.session() as session:
        for q in (f"hỏng {mark}", mark):
            await watching.add_watch(session, asked=WatchBody(q=q), by=by, at=utcnow())
        listed = [await list_dataset(session, owner.organisation, owner.person, title=mark) for _ in range(3)]

    async def find_or_fail(session: AsyncSession, q: str, **asked: Any) -> Found:
        if q.startswith("hỏng"):
            await session.execute(text("select 1 / 0"))
        return await find(session, q, **asked)

    monkeypatch.setattr(telling, "find", find_or_fail)
    monkeypatch.setattr(telling, "DATASETS", 2)
    monkeypatch.setattr(telling, "AT_ONCE", 1)
    await telling.tell_matches(database, at=utcnow())
    assert (await _watched(database, by)).notices == (), "others may yet be listed before these"
    await _tell_all_matches(database, later=timedelta(hours=3))
    told = [each.dataset for each in reversed((await _watched(database, by)).notices)]
    assert told == [dataset.slug for dataset in listed], "in their order"
    assert caplog.text.count("is not tried") == len(listed)
    assert await telling.tell_matches(database, at=utcnow() + timedelta(hours=3)) == 0, "each is looked at once"


async def test_nobody_watches_without_end(database: Database) -> None:
    startup = await Make().party(database, kind="startup")
    async with database.session() as session:
        for number in range(watching.WATCHES):
            await watching.add_watch(session, asked=WatchBody(q=str(number)), by=_caller(startup), at=utcnow())
        with pytest.raises(TooManyWatches):
            await watching.add_watch(session, asked=WatchBody(q="one more"), by=_caller(startup), at=utcnow())
        await watching.add_watch(session, asked=WatchBody(q="7"), by=_caller(startup), at=utcnow())
    assert len((await _watched(database, _caller(startup))).watches) == watching.WATCHES, (
        "the same again is no more"
    )


async def test_a_demand_counts_organisations_and_names_none_but_to_the_operator(database: Database) -> None:
    make = Make()
    first, second, owner, operator = [
        _caller(await make.party(database, kind=kind)) for kind in ("startup", "startup", "owner", "operator")
    ]
    body = demand.DemandBody(title="Nhật ký xe buýt", reason="Để tính giờ chờ ở bến.")
    async with database.session() as session:
        demand_id = await demand.ask_for(session, asked=body, by=first, at=utcnow())
        for by in (second, second, first):
            await demand.vote_for(session, demand_id=demand_id, by=by, at=utcnow())
        for reader, names in ((owner, 0), (second, 0), (operator, 2)):
            board = await demand.read_board(session, caller=reader)
            (seen,) = [each for each in board.items if each.id == demand_id]
            assert (seen.votes, len(seen.organisations)) == (2, names)
        with pytest.raises(NotFound):
            await demand.close_demand(session, demand_id=demand_id, by=second, at=utcnow())
        await demand.close_demand(session, demand_id=demand_id, by=first, at=utcnow())
        with pytest.raises(DemandClosed):
            await demand.vote_for(session, demand_id=demand_id, by=second, at=utcnow())
        logged = await session.scalars(select(Event.name).where(Event.body["demand"].astext == str(demand_id)))
        assert sorted(logged) == ["demand:ask", "demand:close", "demand:vote"]
        for _ in range(demand.OPEN):
            await demand.ask_for(session, asked=body, by=first, at=utcnow())
        with pytest.raises(TooManyDemands):
            await demand.ask_for(session, asked=body, by=first, at=utcnow())


async def test_an_organisation_sees_its_own_open_demands_before_all_others(
    session: AsyncSession, make: Make
) -> None:
    mine, others = [await make.organisation(session) for _ in range(2)]
    people = {each.id: await make.person(session, each) for each in (mine, others)}
    by = _caller(Party(mine, people[mine.id], "", None))  # type: ignore[arg-type]
    body = demand.DemandBody(title="Nhật ký xe buýt", reason="Để tính giờ chờ ở bến.")
    own = await demand.ask_for(session, asked=body, by=by, at=utcnow())
    ids = [new_id() for _ in range(200)]
    asked = {"organisation_id": others.id, "asked_by": people[others.id].id, "title": "t", "reason": "r"}
    await session.execute(insert(Demand), [{"id": each, "asked_at": utcnow(), **asked} for each in ids])
    votes = [
        {"demand_id": each, "organisation_id": who, "voted_by": people[who].id, "voted_at": utcnow()}
        for each in ids
        for who in people
    ]
    await session.execute(insert(DemandVote), votes)
    board = await demand.read_board(session, caller=by)
    assert board.items[0].id == own
    assert len(board.items) == 200
