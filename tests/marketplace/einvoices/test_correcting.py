"""A refused document goes out again under its number; one with a code is replaced by the next, which names it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from marketplace.accounts.callers import Operator, narrow
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.einvoices.api import handlers
from marketplace.einvoices.correcting import correct
from marketplace.einvoices.errors import AlreadyAdjusted, NotAnsweredYet
from marketplace.einvoices.identity import Identity
from marketplace.einvoices.sending import send_due, sign_new
from marketplace.einvoices.xmlsig import parse
from marketplace.invoices.crediting import decide, propose
from marketplace.invoices.document import Document, Party, sha256_of
from marketplace.invoices.reads import find, list_invoices
from tests.conftest import ClientFor
from tests.marketplace.einvoices.conftest import Office
from tests.marketplace.einvoices.test_sending import LATER
from tests.marketplace.invoices.bills import charged, invoice_of
from tests.marketplace.parties import Make
from tests.marketplace.parties import Party as Somebody

BUYER = Party(name="Công ty Dữ Liệu Mở", tax_code="0312345678-001")
WAITS = text("select pid from pg_stat_activity where datname = current_database() and wait_event = 'advisory'")
ROWS = text("select edition, state, xml, message_id from einvoice where invoice_id = :id order by edition")


async def by_operator(database: Database, make: Make) -> Operator:
    return narrow((await make.party(database, kind="operator")).caller, Operator, "operator", None)


async def corrected(database: Database, invoice_id: UUID, by: Operator, why: str = "sai tên bên mua") -> Document:
    async with database.session() as session:
        return await correct(
            session, invoice_id=invoice_id, buyer=BUYER, why=why, by=by, at=utcnow(), retry_after_s=30,
            edition_id=new_id(),
        )  # fmt: skip


async def sent(database: Database, office: Office, seller: Identity, mode: str) -> int:
    office.behave(mode)
    await sign_new(database, seller, seller_address="Hà Nội", at=utcnow(), retry_after_s=60)
    return await send_due(database, office.gateway(), at=utcnow() + LATER, retry_after_s=60)


def said(xml: bytes) -> dict[str, str | None]:
    names = {
        "number": "TTChung/SHDon", "day": "TTChung/NLap", "does": "TTChung/TTHDLQuan/TCHDon",
        "of": "TTChung/TTHDLQuan/SHDCLQuan", "buyer": "NDHDon/NMua/Ten", "gross": "NDHDon/TToan/TgTTTBSo",
    }  # fmt: skip
    return {name: parse(xml).findtext(f"DLHDon/{path}") for name, path in names.items()}


async def test_what_was_refused_goes_out_again_under_its_number_and_then_is_replaced_by_the_next(
    database: Database,
    office: Office,
    seller: Identity,
    billed: tuple[Somebody, Document],
    make: Make,
) -> None:
    startup, invoice = billed
    by = await by_operator(database, make)
    with pytest.raises(NotAnsweredYet):
        await corrected(database, invoice.id, by)
    assert await sent(database, office, seller, "refuse") == 1
    again = await corrected(database, invoice.id, by)
    assert (again.name, again.issued_at, again.replaces) == (invoice.name, invoice.issued_at, None)
    with pytest.raises(NotAnsweredYet):
        await corrected(database, invoice.id, by)
    assert await sent(database, office, seller, "good") == 1
    replacement = await corrected(database, invoice.id, by, why="sai mã số thuế bên mua")
    assert (replacement.series, replacement.number) > (invoice.series, invoice.number)
    assert await sent(database, office, seller, "good") == 1
    rows = await database.all(ROWS, {"id": invoice.id})
    assert [(row.edition, row.state) for row in rows] == [(1, "refused"), (2, "coded"), (3, "coded")]
    assert len({row.message_id for row in rows}) == 3
    first, second, third = (said(bytes(row.xml)) for row in rows)
    assert second == first | {"buyer": BUYER.name}
    assert third == second | {
        "number": str(replacement.number), "does": "1", "of": str(invoice.number), "day": third["day"],
    }  # fmt: skip
    async with database.session() as session:
        found = await find(session, invoice.id, party=None)
        (head,) = (await list_invoices(session, startup.caller)).items
    assert (found.document, found.sha256) == (replacement, sha256_of(replacement))
    assert (head.number, head.buyer_name, head.gross_vnd) == (replacement.name, BUYER.name, invoice.gross_vnd)
    assert head.issued_at == replacement.issued_at
    await _logged(database, invoice, replacement, by)


SELLER = text("update organisation set tax_code = :code where id = (select id from organisation "
              "where kind = 'operator' and suspended_at is null order by created_at, id limit 1)")  # fmt: skip


async def test_a_seller_that_was_wrong_is_asked_for_by_its_new_tax_code(
    database: Database, office: Office, seller: Identity, billed: tuple[Somebody, Document], make: Make
) -> None:
    _, invoice = billed
    by = await by_operator(database, make)
    assert await sent(database, office, seller, "refuse") == 1
    try:
        async with database.session() as session:
            await session.execute(SELLER, {"code": "0101234567"})
        again = await corrected(database, invoice.id, by)
    finally:
        async with database.session() as session:
            await session.execute(SELLER, {"code": invoice.seller.tax_code})
    assert (again.seller.tax_code, again.name) == ("0101234567", invoice.name)
    assert await sent(database, office, seller, "good") == 1
    rows = await database.all(ROWS, {"id": invoice.id})
    assert [row.state for row in rows] == ["refused", "coded"]


async def _logged(database: Database, invoice: Document, replacement: Document, by: Operator) -> None:
    """Who, why, and what the tax office had said."""
    asked = text("select actor_person_id, body from event where name = 'einvoice:correct' "
                 "and body ->> 'invoice' = :id order by id")  # fmt: skip
    events: list[Any] = await database.all(asked, {"id": str(invoice.id)})
    told = [(row.body["before"], row.body["number"], row.body["refusal"], row.body["why"]) for row in events]
    assert told == [
        (invoice.name, invoice.name, "30001 Trùng số hóa đơn", "sai tên bên mua"),
        (invoice.name, replacement.name, None, "sai mã số thuế bên mua"),
    ]
    assert {row.actor_person_id for row in events} == {by.person_id}


async def test_numbers_stay_gapless_where_replacements_and_invoices_are_made_at_once(
    database: Database,
    office: Office,
    seller: Identity,
    billed: tuple[Somebody, Document],
    make: Make,
) -> None:
    startup, invoice = billed
    by, owner = await by_operator(database, make), await make.party(database, kind="owner")
    assert await sent(database, office, seller, "good") == 1
    await charged(database, startup, owner, dataset_id=new_id(), price=9_000)
    replacement, other = await asyncio.gather(
        corrected(database, invoice.id, by), invoice_of(database, startup)
    )  # fmt: skip
    assert replacement.number != other.number
    given = await database.all(
        text("select number from invoice where series = :series union all "
             "select number from invoice_edition where replaces and series = :series order by 1"),
        {"series": replacement.series},
    )  # fmt: skip
    assert [row.number for row in given] == list(range(1, len(given) + 1))


async def test_what_was_adjusted_is_only_adjusted_again_and_a_note_names_the_number_in_force(
    database: Database,
    office: Office,
    seller: Identity,
    billed: tuple[Somebody, Document],
    make: Make,
) -> None:
    _, invoice = billed
    by, other = await by_operator(database, make), await by_operator(database, make)
    assert await sent(database, office, seller, "good") == 1
    replacement = await corrected(database, invoice.id, by)
    assert await sent(database, office, seller, "good") == 1
    async with database.session() as session:
        credit = await propose(session, invoice_id=invoice.id, reason="hoàn", by=by, at=utcnow(), amount_vnd=500)
    async with database.session() as session:
        await decide(session, credit_id=credit, approve=True, by=other, at=utcnow() + timedelta(seconds=1))
    note = await database.one(text("select id, sha256 from invoice where corrects_id = :id"), {"id": invoice.id})
    assert note is not None
    async with database.session() as session:
        read = await find(session, note.id, party=None)
    assert read.document.corrects is not None
    assert read.document.corrects.number == replacement.number
    assert sha256_of(read.document) == note.sha256
    with pytest.raises(AlreadyAdjusted):
        await corrected(database, invoice.id, by)


async def test_a_note_that_waited_for_a_replacement_names_it(
    database: Database, office: Office, seller: Identity, billed: tuple[Somebody, Document], make: Make
) -> None:
    _, invoice = billed
    by, other = await by_operator(database, make), await by_operator(database, make)
    assert await sent(database, office, seller, "good") == 1
    async with database.session() as session:
        credit = await propose(session, invoice_id=invoice.id, reason="hoàn", by=by, at=utcnow(), amount_vnd=500)
    asked_at = utcnow()

    async def noted() -> Document | None:
        async with database.session() as session:
            return await decide(session, credit_id=credit, approve=True, by=other, at=asked_at)

    async with database.session() as session:
        replacement = await correct(
            session, invoice_id=invoice.id, buyer=BUYER, why="sai tên", by=by, at=utcnow(), retry_after_s=30,
            edition_id=new_id(),
        )  # fmt: skip
        waiting = asyncio.create_task(noted())
        for _ in range(1_000):
            if await database.all(WAITS, {}):
                break
            await asyncio.sleep(0.01)
    note = await waiting
    assert note is not None
    assert note.corrects is not None
    assert note.corrects.number == replacement.number
    async with database.session() as session:
        read = await find(session, note.id, party=None)
    assert (read.document, read.sha256) == (note, sha256_of(note))


async def test_who_may_correct(
    database: Database, office: Office, seller: Identity, billed: tuple[Somebody, Document], make: Make,
    client_for: ClientFor,
) -> None:  # fmt: skip
    startup, invoice = billed
    assert await sent(database, office, seller, "refuse") == 1
    operator, rival = await make.party(database, kind="operator"), await make.party(database)
    body = {"buyer_name": BUYER.name, "buyer_tax_code": BUYER.tax_code, "why": "sai tên bên mua"}
    path, key = f"/api/v1/invoices/{invoice.id}/corrections", {"Idempotency-Key": str(new_id())}
    async with client_for(*handlers) as client:
        for token, status in ((None, 401), (rival.token, 403), (startup.token, 403)):
            assert (await client.post(path, token=token, json=body)).status_code == status
        for wrong in ({"why": "x"}, {"buyer_tax_code": "12"}, {"buyer_name": ""}):
            assert (await client.post(path, token=operator.token, json=body | wrong)).status_code == 400
        for _ in range(2):
            made = await client.post(path, token=operator.token, json=body, headers=key)
            assert (made.status_code, len(made.json()["items"])) == (201, 1)
        shown = (await client.get(path, token=startup.token)).json()
        assert (await client.get(path, token=rival.token)).status_code == 404
    assert [one["why"] for one in shown["items"]] == ["sai tên bên mua"]
    assert [one["refusal"] for one in shown["earlier"]] == ["30001 Trùng số hóa đơn"]
