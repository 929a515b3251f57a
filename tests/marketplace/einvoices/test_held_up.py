"""Documents that get no further at the tax office: they are found, sent again and corrected by hand."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import msgspec

from marketplace.accounts.callers import Operator, narrow
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.einvoices.api import handlers
from marketplace.einvoices.identity import Identity
from marketplace.einvoices.sending import sign_new
from marketplace.einvoices.xmlsig import parse
from marketplace.invoices import api as invoices_api
from marketplace.invoices.document import Correction, Document, sha256_of
from marketplace.invoices.reads import find
from marketplace.invoices.writing import write
from tests import forked
from tests.conftest import ClientFor
from tests.marketplace.api import listening, small_app
from tests.marketplace.einvoices.conftest import Office
from tests.marketplace.einvoices.test_sending import EVENTS, row_of, send
from tests.marketplace.parties import Make, Party


async def test_a_note_that_was_dated_before_its_invoice_is_signed_and_reads_always_the_same(
    database: Database, make: Make, seller: Identity, billed: tuple[Party, Document]
) -> None:
    """As a clock that was set back dated some."""
    _, invoice = billed
    note = await _note_before(database, make, invoice)
    assert await sign_new(database, seller, seller_address="", at=utcnow(), retry_after_s=60) == 1
    async with database.session() as session:
        found = await find(session, note.id, party=None)
    assert found.document == note
    assert found.sha256 == sha256_of(found.document)
    named = parse((await row_of(database, note)).xml).findtext("DLHDon/TTChung/TTHDLQuan/SHDCLQuan")
    assert named == str(invoice.number)


async def _note_before(database: Database, make: Make, invoice: Document) -> Document:
    by = narrow((await make.party(database, kind="operator")).caller, Operator, "operator", None)
    note = msgspec.structs.replace(
        invoice, id=new_id(), kind="credit_note", series="1C00TGC", reason="đồng hồ lùi",
        issued_at=invoice.issued_at - timedelta(hours=1), corrects=Correction(
            invoice_id=invoice.id, series=invoice.series, number=invoice.number, issued_at=invoice.issued_at
        ),
    )  # fmt: skip
    async with database.session() as session:
        await write(session, note, by=by)
    return note


async def test_the_operator_has_the_tax_office_asked_again_at_once(
    database: Database, make: Make, office: Office, billed: tuple[Party, Document], client_for: ClientFor
) -> None:
    startup, invoice = billed
    operator = await make.party(database, kind="operator")
    path = f"/api/v1/invoices/{invoice.id}/einvoice/retry"
    office.behave("error")
    assert await send(database, office, timedelta(minutes=1)) == 0
    office.behave("good")
    assert await send(database, office, timedelta(minutes=1)) == 0, "its time has not come"
    async with client_for(*handlers) as client:
        assert (await client.post(path, token=startup.token)).status_code == 403
        asked = await client.post(path, token=operator.token)
        assert (asked.status_code, asked.json()["trouble"]) == (202, "unreachable")
        assert await send(database, office, timedelta(minutes=1)) == 1
        late = await client.post(path, token=operator.token)
    assert (late.status_code, late.json()["code"]) == (409, "einvoice.nothing_to_send")
    assert [event.name for event in await database.all(EVENTS, {"id": str(invoice.id)})] == [
        "einvoice:retry", "einvoice:code",
    ]  # fmt: skip


async def test_on_the_command_line_documents_are_found_sent_again_and_corrected(
    database: Database, config: Config, make: Make, office: Office, billed: tuple[Party, Document]
) -> None:
    _, invoice = billed
    operator = await make.party(database, kind="operator")
    both = [*handlers, *invoices_api.handlers]
    async with listening(small_app(both, database=database, config=config)) as address:
        environment = {"SANDULIEU_URL": address, "SANDULIEU_TOKEN": operator.token}

        async def command(*arguments: str) -> Any:
            return await asyncio.to_thread(forked.run, ("invoices", *arguments), environment)

        sent = await command("send", str(invoice.id))
        assert (sent.returncode, f"{invoice.id}  waiting" in sent.stdout) == (0, True), sent.stderr
        office.behave("refuse")
        assert await send(database, office) == 1
        found = json.loads((await command("list", "--office", "refused", "--json")).stdout)["items"]
        assert str(invoice.id) in {each["id"] for each in found}
        shown = json.loads((await command("show", str(invoice.id), "--json")).stdout)
        assert (shown["state"], shown["refusal"]) == ("refused", "30001 Trùng số hóa đơn")
        again = await command("send", str(invoice.id))
        assert (again.returncode, "einvoice.nothing_to_send" in again.stderr) == (1, True)
        silent = await command("correct", str(invoice.id), "--name", "Công ty Đúng", "--why", "sai tên bên mua")
        assert (silent.returncode, "--no-tax-code" in silent.stderr) == (2, True)
        right = ("--name", "Công ty Đúng", "--tax-code", "0312345678", "--why", "sai tên bên mua")
        done = await command("correct", str(invoice.id), *right)
        assert (done.returncode, f"2  {invoice.name}" in done.stdout) == (0, True), done.stderr
        listed = await command("list", "--office", "unsigned")
        assert f"{invoice.id}  {invoice.name}  unsigned" in listed.stdout
