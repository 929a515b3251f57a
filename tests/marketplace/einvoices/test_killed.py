"""SIGKILL while documents are signed and sent, and one that cannot be signed: each has one code, told once."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

import pytest

from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database, database_url
from marketplace.einvoices.api import handlers
from marketplace.einvoices.gateway import HttpGateway
from marketplace.einvoices.identity import Identity
from marketplace.einvoices.sending import send_due, sign_new
from marketplace.einvoices.signed import seller_signed
from marketplace.invoices.document import Document
from tests.conftest import ClientFor
from tests.marketplace.einvoices.conftest import Office
from tests.marketplace.einvoices.test_sending import EVENTS, LATER, row_of, send
from tests.marketplace.invoices.bills import charged, invoice_of
from tests.marketplace.killed import killed_at
from tests.marketplace.parties import Make, Party


async def do_sign(database: Database, identity: Identity, at: datetime) -> int:
    return await sign_new(database, identity, seller_address="Hà Nội", at=at, retry_after_s=60)


async def do_send(database: Database, url: str, certificate: bytes, at: datetime) -> int:
    return await send_due(database, HttpGateway(url, certificate, timeout_ms=10_000), at=at, retry_after_s=60)


@pytest.mark.parametrize("point", ["einvoice-asked", "einvoice-before-commit"])
async def test_killed_once_the_tax_office_has_answered_it_is_asked_again_and_has_that_code(
    database: Database, config: Config, office: Office, billed: tuple[Party, Document], point: str
) -> None:
    _, invoice = billed
    certificate, url = office.certificate.read_bytes(), database_url(config)
    assert await asyncio.to_thread(killed_at, point, do_send, url, office.url, certificate, utcnow() + LATER)
    row = await row_of(database, invoice)
    assert (row.state, row.code, row.attempts) == ("waiting", None, 0)
    assert office.seen()["seen"][row.message_id] == 1, "it was asked, and nobody here knows"
    assert await database.all(EVENTS, {"id": str(invoice.id)}) == []
    both = await asyncio.gather(*(send(database, office) for _ in range(3)))
    assert sum(both) == 1
    row = await row_of(database, invoice)
    assert (row.state, row.code) == ("coded", office.seen()["codes"][row.message_id])
    assert [event.name for event in await database.all(EVENTS, {"id": str(invoice.id)})] == ["einvoice:code"]


async def test_killed_while_signing_it_is_signed_once_by_several_at_once(
    database: Database, config: Config, make: Make, seller: Identity, billed: tuple[Party, Document]
) -> None:
    startup, _ = billed
    await charged(database, startup, await make.party(database, kind="owner"), dataset_id=new_id(), price=7_000)
    made = await invoice_of(database, startup)
    at = utcnow()
    assert await asyncio.to_thread(killed_at, "einvoice-signed", do_sign, database_url(config), seller, at)
    row = await row_of(database, made)
    assert (row.state, row.xml, row.trouble) == ("unsigned", None, None)
    assert sum(await asyncio.gather(*(do_sign(database, seller, at) for _ in range(3)))) == 1
    assert (await row_of(database, made)).state == "waiting"


async def test_what_cannot_be_signed_is_tried_later_each_time_in_one_line_of_the_log_or_at_once_by_hand(
    database: Database, make: Make, seller: Identity, billed: tuple[Party, Document],
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, client_for: ClientFor,
) -> None:  # fmt: skip
    startup, _ = billed
    operator = await make.party(database, kind="operator")
    await charged(database, startup, await make.party(database, kind="owner"), dataset_id=new_id(), price=7_000)
    made = await invoice_of(database, startup)
    path = f"/api/v1/invoices/{made.id}/einvoice/retry"

    def refuses(*_: Any, **__: Any) -> bytes:
        raise ValueError("no words\nfor this amount")

    async with client_for(*handlers) as client:
        early = await client.post(path, token=operator.token)
        assert (early.status_code, early.json()["code"]) == (409, "einvoice.nothing_to_send")
        monkeypatch.setattr("marketplace.einvoices.sending.seller_signed", refuses)
        at, waits = utcnow(), []
        with caplog.at_level(logging.INFO, logger="marketplace.einvoices"):
            for _ in range(9):
                for sweep in range(3):
                    assert await do_sign(database, seller, at + timedelta(seconds=sweep)) == 0
                waits.append(int(((await row_of(database, made)).next_at - at).total_seconds()))
                at += timedelta(seconds=waits[-1])
        assert waits == [60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 7_680]
        lines = [each for each in caplog.records if str(made.id) in each.getMessage()]
        assert [(each.levelname, each.exc_info) for each in lines] == [("ERROR", None)] * 9
        assert "ValueError: no words for this amount (" in lines[0].getMessage()
        assert "\n" not in lines[0].getMessage()
        monkeypatch.setattr("marketplace.einvoices.sending.seller_signed", seller_signed)
        assert await do_sign(database, seller, utcnow()) == 0, "its time has not come"
        asked = await client.post(path, token=operator.token)
        assert (asked.status_code, asked.json()["state"], asked.json()["attempts"]) == (202, "unsigned", 9)
    assert await do_sign(database, seller, utcnow()) == 1
    row = await row_of(database, made)
    assert (row.state, row.trouble, row.attempts) == ("waiting", None, 0)
    (event,) = await database.all(EVENTS, {"id": str(made.id)})
    assert (event.name, event.body["message"]) == ("einvoice:retry", row.message_id)
