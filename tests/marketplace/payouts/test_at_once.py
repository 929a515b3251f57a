"""Two people of the operator at the same moment, and SIGKILL between any two steps: every đồng goes out once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import text

from marketplace.accounts.callers import Operator, narrow
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database, database_url
from marketplace.payouts.actions import cancel, propose, release
from marketplace.payouts.bank_file import Notice, notices_file, read_notices
from marketplace.payouts.errors import BatchDecided, BatchOpen
from marketplace.payouts.settling import Report, settle_notices
from tests.marketplace.invoices.bills import afterwards, this_month
from tests.marketplace.killed import killed_at
from tests.marketplace.parties import Make
from tests.marketplace.payouts.test_payouts import (
    NAMES,
    Scene,
    agrees,
    has,
    notice,
    payout_of,
    proposed,
    released,
    scene,
)

__all__ = ["scene"]
MOVED = text("select code, count(*) as n from transfer where reference = :reference group by code order by code")
ODD = text("select body, price_vnd from event where name = 'payout:odd' "
           "and body ->> 'bank_reference' = any(cast(:references as text[])) order by id")  # fmt: skip
BATCHES = text("select count(*) as n from payout p join payout_batch b on b.id = p.batch_id "
               "where p.owner_id = :owner and b.state = 'proposed'")  # fmt: skip


async def do_propose(database: Database, by: Operator) -> UUID:
    async with database.session() as session:
        return await propose(session, period=this_month().period, least_vnd=50_000, by=by, at=afterwards())


async def do_release(database: Database, batch_id: UUID, by: Operator) -> None:
    async with database.session() as session:
        await release(session, batch_id=batch_id, by=by, at=utcnow())


async def do_cancel(database: Database, batch_id: UUID, by: Operator) -> None:
    async with database.session() as session:
        await cancel(session, batch_id=batch_id, by=by, at=utcnow())


async def do_settle(database: Database, file: bytes, by: Operator, at: datetime | None = None) -> Report:
    async with database.session() as session:
        return await settle_notices(session, read_notices(file), by=by, at=at or utcnow())


async def names(database: Database, scene: Scene) -> list[str]:
    return [row.name for row in await database.all(NAMES, {"party": scene.owner.organisation.id})]


async def moved(database: Database, reference: str) -> dict[str, int]:
    return {row.code: row.n for row in await database.all(MOVED, {"reference": reference})}


async def someone(database: Database, make: Make) -> Operator:
    return narrow((await make.party(database, kind="operator")).caller, Operator, "operator", None)


def refusals(ended: Sequence[object]) -> list[type]:
    return [type(each) for each in ended if isinstance(each, BaseException)]


async def test_of_two_who_propose_at_once_one_has_the_batch(database: Database, scene: Scene) -> None:
    turns = [do_propose(database, by) for by in (scene.maker, scene.checker) * 2]
    ended = await asyncio.gather(*turns, return_exceptions=True)
    assert refusals(ended) == [BatchOpen] * 3
    (row,) = await database.all(BATCHES, {"owner": scene.owner.organisation.id})
    assert row.n == 1


async def test_of_two_who_release_and_one_who_cancels_at_once_one_decides(
    database: Database, make: Make, scene: Scene
) -> None:
    for _ in range(3):
        batch_id, other = await proposed(database, scene), await someone(database, make)
        ended = await asyncio.gather(
            do_release(database, batch_id, scene.checker),
            do_release(database, batch_id, other),
            do_cancel(database, batch_id, scene.maker),
            return_exceptions=True,
        )
        assert refusals(ended) == [BatchDecided] * 2, ended
        payout = await payout_of(database, scene, batch_id)
        cancelled = ended[2] is None
        assert payout.state == ("cancelled" if cancelled else "released")
        assert await moved(database, payout.reference) == ({} if cancelled else {"payout_release": 1})
        assert await has(database, scene) == (scene.earned_vnd if cancelled else 0)
        if not cancelled:
            return


async def test_one_file_read_by_two_at_once_is_booked_once(database: Database, scene: Scene) -> None:
    _, payout = await released(database, scene)
    file = notices_file("x", [notice(payout), notice(payout, "RETURNED", reason="SAI TEN")])
    both = await asyncio.gather(*(do_settle(database, file, by) for by in (scene.maker, scene.checker) * 3))
    assert sorted((each.paid, each.returned, each.known) for each in both) == [(0, 0, 2)] * 5 + [(1, 1, 0)]
    assert [each.odd for each in both] == [()] * 6
    assert await moved(database, payout.reference) == {"payout_paid": 1, "payout_release": 1, "payout_return": 1}
    assert await has(database, scene) == scene.earned_vnd
    assert await agrees(database, payout)


@pytest.mark.parametrize("late", ["PAID", "RETURNED"])
async def test_a_file_that_waited_for_another_agrees_in_every_window(
    database: Database, scene: Scene, late: str
) -> None:
    """Its instant is that at which it is booked, not that at which it was sent."""
    _, payout = await released(database, scene)
    early = "RETURNED" if late == "PAID" else "PAID"
    sent = utcnow() - timedelta(minutes=30)
    await do_settle(database, notices_file("x", [notice(payout, early)]), scene.maker)
    await do_settle(database, notices_file("y", [notice(payout, late)]), scene.checker, sent)
    bounds = [utcnow() - timedelta(minutes=each) for each in (60, 20)] + [utcnow()]
    for since, until in pairwise(bounds):
        assert await agrees(database, payout, since, until), (since, until)
    assert await agrees(database, payout)


async def test_a_proposal_killed_before_its_end_is_none(database: Database, config: Config, scene: Scene) -> None:
    url = database_url(config)
    assert await asyncio.to_thread(killed_at, "payouts-proposed", do_propose, url, scene.maker)
    (row,) = await database.all(BATCHES, {"owner": scene.owner.organisation.id})
    assert row.n == 0
    assert (await payout_of(database, scene, await do_propose(database, scene.maker))).state == "proposed"


async def test_a_release_killed_before_its_end_moved_nothing_and_is_done_again_once(
    database: Database, config: Config, scene: Scene
) -> None:
    batch_id, url = await proposed(database, scene), database_url(config)
    assert await asyncio.to_thread(killed_at, "payouts-released", do_release, url, batch_id, scene.checker)
    payout = await payout_of(database, scene, batch_id)
    assert (payout.state, await has(database, scene)) == ("proposed", scene.earned_vnd)
    assert (await moved(database, payout.reference), await names(database, scene)) == ({}, ["payout:account"])
    for _ in range(2):
        await do_release(database, batch_id, scene.checker)
    assert await moved(database, payout.reference) == {"payout_release": 1}
    assert await names(database, scene) == ["payout:account", "payout:release"]
    assert await agrees(database, payout)


@pytest.mark.parametrize("status", ["PAID", "RETURNED"])
async def test_a_file_killed_between_its_lines_is_read_whole_or_not_at_all(
    database: Database, config: Config, scene: Scene, status: str
) -> None:
    _, payout = await released(database, scene)
    lines: list[Notice] = [notice(payout, status), notice(payout, reference="SDLNOBODY")]
    file, url = notices_file("x", lines), database_url(config)
    assert await asyncio.to_thread(killed_at, "payout-notice", do_settle, url, file, scene.maker)
    assert await moved(database, payout.reference) == {"payout_release": 1}
    assert await agrees(database, payout)
    for settled in (1, 0):
        report = await do_settle(database, file, scene.checker)
        assert (report.paid + report.returned, report.known) == (settled, 1 - settled)
        assert [each.why for each in report.odd] == ["unknown_reference"]
    assert await has(database, scene) == (scene.earned_vnd if status == "RETURNED" else 0)
    assert await agrees(database, payout)


async def test_what_the_bank_moved_twice_or_to_nobody_stands_in_the_log(database: Database, scene: Scene) -> None:
    """It settles nothing, and no reconciliation can know of it once the answer is closed."""
    _, payout = await released(database, scene)
    await do_settle(database, notices_file("x", [notice(payout)]), scene.maker)
    odd = [notice(payout), notice(payout, reference="SDLNOBODY", amount_vnd=7)]
    report = await do_settle(database, notices_file("y", odd), scene.checker)
    rows = await database.all(ODD, {"references": [each.bank_reference for each in odd]})
    assert [(row.body["why"], row.body["reference"], row.price_vnd) for row in rows] == [
        ("twice", payout.reference, payout.amount_vnd), ("unknown_reference", "SDLNOBODY", 7),
    ]  # fmt: skip
    assert [each.why for each in report.odd] == [row.body["why"] for row in rows]
    assert await agrees(database, payout)
