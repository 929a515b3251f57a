"""Several people of the operator at one difference at the same moment: one proposal, one decision, one event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from marketplace.accounts.callers import Operator, narrow
from marketplace.closing.accepting import decide, propose
from marketplace.closing.errors import AcceptanceDecided, DifferenceProposed
from marketplace.closing.standing import Standing, left_of, named
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from tests.marketplace.parties import Make

PERIOD = "2099-01"
"""Far from every month that other tests close."""
STUCK = text("""
    insert into month_step (period, step, state, attempts, cause, told, differences, tried_at, next_at)
    values (:period, 'books', 'stuck', 1, 'month.books_differ', '{}', cast(:found as jsonb), :at, :later)
    on conflict (period, step) do update set state = 'stuck', cause = excluded.cause,
        differences = excluded.differences, next_at = excluded.next_at
""")
OVER = text("update month_step set state = 'done', next_at = null, cause = null where period = :period")
EVENTS = text("select name from event where name like 'difference:%' and body ->> 'difference' = :key order by id")


@pytest.fixture
async def difference(database: Database) -> AsyncIterator[Standing]:
    (found,) = named(PERIOD, "books", [("outside:bank", f"FT {utcnow().timestamp()}", 5_000, None)])
    at = utcnow()
    values = {"period": PERIOD, "found": msgspec.json.encode([found]).decode(), "at": at}
    async with database.session() as session:
        await session.execute(STUCK, values | {"later": at + timedelta(minutes=10)})
    yield found
    async with database.session() as session:
        await session.execute(OVER, {"period": PERIOD})


async def people(database: Database, make: Make, count: int) -> list[Operator]:
    parties = [await make.party(database, kind="operator") for _ in range(count)]
    return [narrow(party.caller, Operator, "operator", None) for party in parties]


async def do_propose(database: Database, key: str, by: Operator) -> UUID:
    async with database.session() as session:
        return await propose(
            session, period=PERIOD, key=key, reason="không ai biết", by=by, at=utcnow()
        )  # fmt: skip


async def do_decide(database: Database, acceptance_id: UUID, by: Operator, *, accept: bool) -> None:
    async with database.session() as session:
        await decide(
            session, period=PERIOD, acceptance_id=acceptance_id, accept=accept, reason="đã hỏi", by=by, at=utcnow()
        )  # fmt: skip


async def left(database: Database, found: list[Standing]) -> tuple[int, int]:
    async with database.session() as session:
        still, accepted = await left_of(session, period=PERIOD, step="books", found=found)
    return len(still), accepted


async def test_of_several_proposals_and_decisions_at_once_one_stands(
    database: Database, make: Make, difference: Standing
) -> None:
    some = await people(database, make, 4)
    proposals = await asyncio.gather(
        *(do_propose(database, difference.key, by) for by in some), return_exceptions=True
    )
    (made,) = [each for each in proposals if isinstance(each, UUID)]
    assert [type(each) for each in proposals if not isinstance(each, UUID)] == [DifferenceProposed] * 3
    proposer = some[proposals.index(made)]
    others = [by for by in some if by is not proposer]
    turns = [do_decide(database, made, by, accept=True) for by in others]
    turns.append(do_decide(database, made, proposer, accept=False))
    decisions = await asyncio.gather(*turns, return_exceptions=True)
    refused = [type(each) for each in decisions if each is not None]
    assert refused == [AcceptanceDecided] * 3, decisions
    accepted = decisions[-1] is not None
    names = [row.name for row in await database.all(EVENTS, {"key": difference.key})]
    assert names == ["difference:propose", "difference:accept" if accepted else "difference:refuse"]
    assert await left(database, [difference]) == ((0, 1) if accepted else (1, 0))


async def test_a_decision_while_the_step_is_tried_is_of_what_it_then_finds(
    database: Database, make: Make, difference: Standing
) -> None:
    """However the two come, nothing that is gone is let stand, and nothing lapses unsaid."""
    proposer, other = await people(database, make, 2)
    made = await do_propose(database, difference.key, proposer)
    await asyncio.gather(
        left(database, []), do_decide(database, made, other, accept=True), return_exceptions=True
    )  # fmt: skip
    names = [row.name for row in await database.all(EVENTS, {"key": difference.key})]
    assert names[0] == "difference:propose"
    assert names[-1] == "difference:lapse"
    assert names[1:-1] in ([], ["difference:accept"])
    state = text("select state from difference_acceptance where id = :id")
    (row,) = await database.all(state, {"id": made})
    assert row.state == "lapsed"
    assert await left(database, []) == (0, 0)
