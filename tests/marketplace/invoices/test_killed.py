"""SIGKILL in the middle of an invoice and of a credit note: documents, money, usage and log agree, without gap."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from marketplace.accounts.callers import Operator, narrow
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database, database_url
from marketplace.invoices.crediting import decide, propose
from marketplace.invoices.document import Document
from tests.marketplace.invoices.bills import charged, close, differences
from tests.marketplace.invoices.test_closing import numbers_have_no_gap, tax_payable
from tests.marketplace.invoices.test_credits import EVENTS, Scene, scene
from tests.marketplace.killed import killed_at

__all__ = ["scene"]
SAID = text("""
    select (select count(*) from invoice where organisation_id = :id) as documents,
           (select coalesce(sum(vat_vnd * case kind when 'invoice' then 1 else -1 end), 0)::bigint
            from invoice where organisation_id = :id) as vat_vnd,
           (select count(*) from event where :id = any (parties) and name = 'invoice:issue') as issued,
           (select count(*) from event where :id = any (parties) and name = 'invoice:credit') as credited,
           (select count(*) from einvoice e join invoice i on i.id = e.invoice_id
            where i.organisation_id = :id) as to_sign
""")


async def do_decide(database: Database, credit_id: UUID, by: Operator) -> Document | None:
    async with database.session() as session:
        return await decide(session, credit_id=credit_id, approve=True, by=by, at=utcnow())


async def said(database: Database, scene: Scene) -> Any:
    return await database.one(SAID, {"id": scene.startup.organisation.id})


async def agree(database: Database, before: Set[tuple[str, str]]) -> bool:
    """Nothing differs that did not before: other tests share the books."""
    return await differing(database) <= before and await numbers_have_no_gap(database)


async def differing(database: Database) -> Set[tuple[str, str]]:
    async with database.reading() as session:
        return await differences(session)


@pytest.mark.parametrize("point", ["invoice-written", "invoice-before-commit"])
async def test_an_invoice_killed_on_its_way_is_none_and_is_issued_once(
    database: Database, config: Config, scene: Scene, point: str
) -> None:
    dataset, url = scene.datasets[0], database_url(config)
    before, tax, differed = await said(database, scene), await tax_payable(database), await differing(database)
    await charged(database, scene.startup, scene.owner, dataset_id=dataset, price=5_003)
    aside = await tax_payable(database) - tax
    assert await asyncio.to_thread(killed_at, point, close, url)
    assert (await said(database, scene), await tax_payable(database)) == (before, tax + aside)
    assert await agree(database, differed)
    (made,) = [each for each in await close(database) if each.organisation_id == scene.startup.organisation.id]
    assert await close(database) == ()
    after = await said(database, scene)
    assert (after.documents, after.issued, after.to_sign) == (2, 2, 2)
    assert (made.gross_vnd, await tax_payable(database)) == (5_003, tax + after.vat_vnd - before.vat_vnd)
    assert await agree(database, differed)


@pytest.mark.parametrize("point", ["credit-written", "credit-before-commit"])
async def test_a_credit_killed_on_its_way_gives_nothing_back_and_then_all_once(
    database: Database, config: Config, scene: Scene, point: str
) -> None:
    maker, checker = (narrow(each.caller, Operator, "operator", None) for each in (scene.maker, scene.checker))
    async with database.session() as session:
        credit = await propose(session, invoice_id=scene.invoice.id, reason="kiểm thử", by=maker, at=utcnow())
    before, tax, wallet = await said(database, scene), await tax_payable(database), await held(database, scene)
    differed = await differing(database)
    assert await asyncio.to_thread(killed_at, point, do_decide, database_url(config), credit, checker)
    assert (await said(database, scene), await tax_payable(database)) == (before, tax)
    assert await held(database, scene) == wallet
    assert await agree(database, differed)
    notes = [await do_decide(database, credit, checker) for _ in range(2)]
    assert [note and note.id for note in notes] == [notes[0] and notes[0].id] * 2
    after = await said(database, scene)
    assert (after.documents, after.credited, after.to_sign, after.vat_vnd) == (2, 1, 2, 0)
    assert await tax_payable(database) == tax - before.vat_vnd
    assert await held(database, scene) == (wallet[0] + scene.invoice.gross_vnd, 0)
    rows = await database.all(EVENTS, {"party": scene.startup.organisation.id})
    assert [row.name for row in rows].count("invoice:credit") == 1
    assert await agree(database, differed)


async def held(database: Database, scene: Scene) -> tuple[int, int]:
    """What the startup and the owner have."""
    return await scene.vnd(database, "wallet"), await scene.vnd(database, "earnings")
