"""What the bank does not say in time, and what it says that fits nothing, is named until it is otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.ledger.reconcile import reconcile
from marketplace.payments.readers import hear_outside
from marketplace.payouts.actions import release
from marketplace.payouts.api import handlers
from marketplace.payouts.reads import list_odd
from marketplace.payouts.schemas import OddLine
from tests.conftest import ClientFor
from tests.marketplace.parties import Make
from tests.marketplace.payouts.test_payouts import Scene, has, notice, proposed, released, scene, told

__all__ = ["scene"]
_RELEASED_AT = text("update payout_batch set decided_at = :at where id = :id")


async def silent(database: Database, config: Config, payout: Any) -> list[tuple[int | None, int | None]]:
    """Expected and found of the payout, where it is named for nobody's answer."""
    heard = await hear_outside(config, database)
    async with database.snapshot() as session:
        found = await reconcile(session, outside=heard)
    about = ("outside:payouts unanswered", payout.reference)
    return [(each.expected, each.found) for each in found if (each.check, each.subject) == about]


async def released_at(database: Database, batch_id: UUID, at: datetime) -> None:
    async with database.session() as session:
        await session.execute(_RELEASED_AT, {"id": batch_id, "at": at})


@pytest.mark.parametrize("answer", ["PAID", "RETURNED"])
async def test_a_payout_of_which_nobody_speaks_is_a_difference_until_somebody_does(
    database: Database, config: Config, scene: Scene, answer: str
) -> None:
    batch_id, payout = await released(database, scene)
    assert await silent(database, config, payout) == []
    await released_at(database, batch_id, utcnow() - timedelta(days=config.payout_answer_days + 6))
    assert await silent(database, config, payout) == [(-payout.amount_vnd, None)]
    patient = msgspec.structs.replace(config, payout_answer_days=30)
    assert await silent(database, patient, payout) == []
    await told(database, scene, notice(payout, answer))
    assert await silent(database, config, payout) == []
    assert await has(database, scene) == (0 if answer == "PAID" else scene.earned_vnd)


async def test_what_was_not_released_is_waited_for_by_nobody(
    database: Database, config: Config, scene: Scene
) -> None:
    batch_id = await proposed(database, scene)
    async with database.session() as session:
        long_ago = text("update payout_batch set proposed_at = now() - interval '1 year' where id = :id")
        await session.execute(long_ago, {"id": batch_id})
        row = await session.execute(text("select * from payout where batch_id = :id"), {"id": batch_id})
    for payout in row:
        assert await silent(database, config, payout) == []


async def odd_of(database: Database, *references: str) -> list[OddLine]:
    async with database.reading() as session:
        return [each for each in (await list_odd(session)).items if each.bank_reference in references]


async def test_a_line_that_fits_nothing_stays_listed_until_it_fits(database: Database, scene: Scene) -> None:
    batch_id = await proposed(database, scene)
    async with database.reading() as session:
        rows = await session.execute(text("select * from payout where batch_id = :id and owner_id = :owner"),
                                     {"id": batch_id, "owner": scene.owner.organisation.id})  # fmt: skip
        payout = rows.one()
    early, other = notice(payout), notice(payout, amount_vnd=payout.amount_vnd + 1)
    await told(database, scene, early, other)
    await told(database, scene, early)
    listed = await odd_of(database, early.bank_reference, other.bank_reference)
    assert [(each.why, each.times, each.amount_vnd) for each in listed] == [
        ("not_released", 2, payout.amount_vnd), ("other_amount", 1, payout.amount_vnd + 1),
    ]  # fmt: skip
    assert {(each.reference, each.status) for each in listed} == {(payout.reference, "PAID")}
    async with database.session() as session:
        await release(session, batch_id=batch_id, by=scene.checker, at=utcnow())
    assert (await told(database, scene, early)).paid == 1
    (left,) = await odd_of(database, early.bank_reference, other.bank_reference)
    assert left.bank_reference == other.bank_reference
    changed = notice(payout, bank_reference=early.bank_reference, reason="X")
    assert (await told(database, scene, changed)).odd[0].why == "differs"
    assert [each.why for each in await odd_of(database, early.bank_reference)] == ["differs"]


async def test_who_may_read_what_fits_nothing(
    client_for: ClientFor, database: Database, make: Make, scene: Scene
) -> None:
    regulator, path = await make.party(database, kind="regulator"), "/api/v1/payouts/notices"
    _, payout = await released(database, scene)
    strange = notice(payout, reference="SDLNOBODY")
    await told(database, scene, strange)
    async with client_for(*handlers) as client:
        assert (await client.get(path)).status_code == 401
        for stranger in (scene.startup, scene.owner):
            assert (await client.get(path, token=stranger.token)).status_code == 403
        for reader in (scene.checker_party, regulator):
            items = (await client.get(path, token=reader.token)).json()["items"]
            (mine,) = [each for each in items if each["bank_reference"] == strange.bank_reference]
            assert (mine["why"], mine["reference"], mine["times"]) == ("unknown_reference", "SDLNOBODY", 1)
