"""Every document gets its code once, whatever the tax office and the way to it do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree
from sqlalchemy import text

from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.einvoices.api import handlers
from marketplace.einvoices.gateway import HttpGateway
from marketplace.einvoices.identity import Identity, self_signed, seller_identity, split_pem
from marketplace.einvoices.jobs import sweep_einvoices
from marketplace.einvoices.messages import understand
from marketplace.einvoices.sending import send_due, sign_new
from marketplace.einvoices.signed import seller_signed
from marketplace.einvoices.xmlsig import NotXml, canonical, parse, signed_elements
from marketplace.invoices import api as invoices_api
from marketplace.invoices.document import Document
from tests.conftest import ClientFor
from tests.marketplace.einvoices.conftest import Office
from tests.marketplace.invoices.bills import charged, invoice_of
from tests.marketplace.parties import Make, Party

ROW = text("select * from einvoice where invoice_id = :id")
EVENTS = text("select name, body from event where body ->> 'invoice' = :id and name like 'einvoice:%'")
LATER = timedelta(days=1)
HOSTILE = {
    "garbage": "not_understood",
    "empty": "not_understood",
    "html": "not_understood",
    "laughs": "not_understood",
    "secrets": "not_understood",
    "too_long": "too_long",
    "unsigned": "not_signed",
    "stranger": "not_signed",
    "changed_after": "not_signed",
    "other_document": "other_document",
    "other_message": "other_message",
    "malformed": "code_malformed",
    "hang_up": "unreachable",
    "error": "unreachable",
    "not_yet": "not_yet",
    "lost": "unreachable",
}


async def row_of(database: Database, document: Document) -> Any:
    return await database.one(ROW, {"id": document.id})


async def send(database: Database, office: Office, after: timedelta = LATER) -> int:
    return await send_due(database, office.gateway(), at=utcnow() + after, retry_after_s=60)


async def test_a_document_is_signed_coded_and_told(
    database: Database, office: Office, seller: Identity, billed: tuple[Party, Document], client_for: ClientFor
) -> None:
    startup, invoice = billed
    signed = (await row_of(database, invoice)).xml
    assert await send(database, office) == 1
    row = await row_of(database, invoice)
    assert (row.state, row.code) == ("coded", office.seen()["codes"][row.message_id])
    root = parse(row.coded_xml)
    ours = signed_elements(root, "./DSCKS/NBan/", seller.certificate)
    theirs = signed_elements(root, "./DSCKS/CQT/", office.certificate.read_bytes())
    assert "DLHDon" in ours
    assert set(theirs) == {"DLHDon", "MCCQT"}
    assert canonical(theirs["DLHDon"]) == canonical(parse(signed).find("DLHDon"))
    (event,) = await database.all(EVENTS, {"id": str(invoice.id)})
    assert (event.name, event.body["code"]) == ("einvoice:code", row.code)
    async with client_for(*handlers) as client:
        path = f"/api/v1/invoices/{invoice.id}"
        shown = (await client.get(f"{path}/einvoice", token=startup.token)).json()
        xml = await client.get(f"{path}/xml", token=startup.token)
    assert (shown["state"], shown["code"]) == ("coded", row.code)
    assert (xml.headers["content-type"].split(";")[0], xml.content) == ("application/xml", row.coded_xml)


async def test_the_document_says_what_the_invoice_says(database: Database, billed: tuple[Party, Document]) -> None:
    _, invoice = billed
    root = parse((await row_of(database, invoice)).xml)
    said = {name: root.findtext(f"DLHDon/{path}") for name, path in {
        "form": "TTChung/KHMSHDon", "series": "TTChung/KHHDon", "number": "TTChung/SHDon",
        "buyer": "NDHDon/NMua/Ten", "tax_code": "NDHDon/NMua/MST", "address": "NDHDon/NBan/DChi",
        "net": "NDHDon/TToan/TgTCThue", "vat": "NDHDon/TToan/TgTThue", "gross": "NDHDon/TToan/TgTTTBSo",
        "words": "NDHDon/TToan/TgTTTBChu",
    }.items()}  # fmt: skip
    assert said == {
        "form": "1", "series": invoice.series[1:], "number": str(invoice.number),
        "buyer": "Khởi nghiệp & <Dữ liệu>\ufffd", "tax_code": "0312345678", "address": "Hà Nội",
        "net": str(invoice.net_vnd), "vat": str(invoice.vat_vnd), "gross": "3003",
        "words": "Ba nghìn không trăm linh ba đồng",
    }  # fmt: skip
    assert [each.findtext("ThTien") for each in root.iterfind(".//HHDVu")] == [
        str(line.net_vnd) for line in invoice.lines
    ]


async def test_what_settles_nothing_changes_nothing_and_the_code_comes_later(
    database: Database, office: Office, billed: tuple[Party, Document]
) -> None:
    _, invoice = billed
    after, asked = LATER, 0
    for mode, trouble in HOSTILE.items():
        office.behave(mode)
        assert await send(database, office, after) == 0, mode
        row = await row_of(database, invoice)
        found = (row.state, row.code, row.coded_xml, row.refusal, row.trouble)
        assert found == ("waiting", None, None, None, trouble), mode
        assert await send(database, office, after) == 0, "it is not asked again at once"
        asked, after = asked + 1, after + LATER
    assert office.seen()["seen"][row.message_id] == row.attempts == asked
    assert await database.all(EVENTS, {"id": str(invoice.id)}) == []
    office.behave("good")
    assert await send(database, office, after) == 1
    row = await row_of(database, invoice)
    assert (row.state, row.trouble) == ("coded", None)
    assert row.code == office.seen()["codes"][row.message_id], "the code lost on the way, not a second one"


async def test_a_gateway_that_is_down_is_waited_for_longer_each_time(
    database: Database, office: Office, billed: tuple[Party, Document]
) -> None:
    _, invoice = billed
    nobody = HttpGateway("http://127.0.0.1:9", office.certificate.read_bytes(), timeout_ms=2_000)
    at, waits = utcnow() + LATER, []
    for _ in range(3):
        assert await send_due(database, nobody, at=at, retry_after_s=60) == 0
        after = (await row_of(database, invoice)).next_at
        waits.append((after - at).total_seconds())
        at = after
    assert waits == [60, 120, 240]
    assert await send_due(database, office.gateway(), at=at, retry_after_s=60) == 1


async def test_a_refusal_is_kept_with_its_reason_and_not_asked_again(
    database: Database, office: Office, billed: tuple[Party, Document]
) -> None:
    _, invoice = billed
    office.behave("refuse")
    assert await send(database, office) == 1
    row = await row_of(database, invoice)
    assert (row.state, row.refusal, row.code) == ("refused", "30001 Trùng số hóa đơn", None)
    (event,) = await database.all(EVENTS, {"id": str(invoice.id)})
    assert (event.name, event.body["refusal"]) == ("einvoice:refuse", row.refusal)
    office.behave("good")
    assert await send(database, office, 9 * LATER) == 0


async def test_signing_again_changes_no_signed_document(
    database: Database, seller: Identity, billed: tuple[Party, Document]
) -> None:
    _, invoice = billed
    before = (await row_of(database, invoice)).xml
    assert await sign_new(database, seller, seller_address="Nơi khác", at=utcnow(), retry_after_s=60) == 0
    assert (await row_of(database, invoice)).xml == before


async def test_a_document_that_cannot_be_signed_keeps_no_other_from_it_and_none_from_being_sent(
    database: Database, make: Make, office: Office, billed: tuple[Party, Document], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, client_for: ClientFor,
) -> None:  # fmt: skip
    startup, waiting = billed
    owner = await make.party(database, kind="owner")
    made = []
    for price in (3_000, 4_000):
        await charged(database, startup, owner, dataset_id=new_id(), price=price)
        made.append(await invoice_of(database, startup))
    broken, whole = made

    def refuses(document: Document, *others: Any, **more: Any) -> bytes:
        if document.id == broken.id:
            raise ValueError("no words for this amount")
        return seller_signed(document, *others, **more)

    monkeypatch.setattr("marketplace.einvoices.sending.BATCH", 1)
    monkeypatch.setattr("marketplace.einvoices.sending.seller_signed", refuses)
    async with database.session() as session:
        asked_for = {"id": waiting.id}
        await session.execute(text("update einvoice set next_at = now() where invoice_id = :id"), asked_for)
    asking = Config(
        home=tmp_path, einvoice_gateway_url=office.url, einvoice_gateway_certificate=office.certificate
    )
    await sweep_einvoices(database, Keys(tmp_path / "keys"), asking)
    told = await row_of(database, broken)
    assert (told.state, told.xml, told.trouble) == ("unsigned", None, "fault")
    assert (told.attempts, told.fault) == (1, "ValueError: no words for this amount")
    await _read_by_operator_and_startup(client_for, await make.party(database, kind="operator"), startup, broken)
    assert (await row_of(database, whole)).state in {"waiting", "coded"}
    assert (await row_of(database, waiting)).state == "coded"
    unusable = msgspec.structs.replace(asking, einvoice_seller_key=tmp_path / "none.pem")
    assert await sweep_einvoices(database, Keys(tmp_path / "keys"), unusable) >= 0
    told = await row_of(database, broken)
    assert (told.trouble, "none.pem" in told.fault) == ("seller_key", True)
    monkeypatch.undo()
    assert await sweep_einvoices(database, Keys(tmp_path / "keys"), asking) >= 1
    assert (await row_of(database, broken)).state == "coded"
    assert (
        await sign_new(
            database,
            seller_identity(asking, Keys(tmp_path / "keys")),
            seller_address="",
            at=utcnow(),
            retry_after_s=60,
        )
        == 0
    )


async def _read_by_operator_and_startup(
    client_for: ClientFor, operator: Party, startup: Party, broken: Document
) -> None:
    """What went wrong at the exchange is told to the exchange."""
    async with client_for(*handlers) as client:
        for party, fault in ((operator, "ValueError: no words for this amount"), (startup, None)):
            shown = (await client.get(f"/api/v1/invoices/{broken.id}/einvoice", token=party.token)).json()
            assert (shown["state"], shown["trouble"], shown["fault"]) == ("unsigned", "fault", fault)


async def test_who_may_see_an_e_invoice(
    database: Database, make: Make, billed: tuple[Party, Document], client_for: ClientFor
) -> None:
    startup, invoice = billed
    owner, stranger = await make.party(database, kind="owner"), await make.party(database)
    async with client_for(*handlers) as client:
        for path in (f"/api/v1/invoices/{invoice.id}/einvoice", f"/api/v1/invoices/{invoice.id}/xml"):
            assert (await client.get(path)).status_code == 401
            assert (await client.get(path, token=stranger.token)).status_code == 404
            assert (await client.get(path, token=owner.token)).status_code == 403
            assert (await client.get(path, token=startup.token)).status_code == 200
        await charged(database, startup, owner, dataset_id=new_id(), price=5_000)
        fresh = await invoice_of(database, startup)
        early = await client.get(f"/api/v1/invoices/{fresh.id}/xml", token=startup.token)
    assert (early.status_code, early.json()["code"]) == (409, "einvoice.not_signed_yet")


async def test_a_fault_of_one_document_holds_up_none_behind_it(
    database: Database, make: Make, office: Office, seller: Identity, billed: tuple[Party, Document],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    startup, first = billed
    owner = await make.party(database, kind="owner")
    await charged(database, startup, owner, dataset_id=new_id(), price=3_000)
    second = await invoice_of(database, startup)
    await sign_new(database, seller, seller_address="", at=utcnow(), retry_after_s=60)
    for at, invoice in enumerate((first, second)):
        async with database.session() as session:
            due = {"id": invoice.id, "at": utcnow() + timedelta(seconds=at)}
            await session.execute(text("update einvoice set next_at = :at where invoice_id = :id"), due)

    def fails(answer: bytes, *, message: str, **more: Any) -> Any:
        if message == first_message:
            raise RuntimeError("a fault of ours")
        return understand(answer, message=message, **more)

    first_message = (await row_of(database, first)).message_id
    monkeypatch.setattr("marketplace.einvoices.sending.understand", fails)
    assert await send(database, office) >= 1
    assert (await row_of(database, second)).state == "coded"
    row = await row_of(database, first)
    assert (row.state, row.trouble, row.attempts) == ("waiting", "fault", 1)


async def test_the_operator_finds_what_is_not_signed_or_was_refused(
    database: Database, make: Make, office: Office, billed: tuple[Party, Document], client_for: ClientFor
) -> None:
    startup, refused = billed
    operator, owner = await make.party(database, kind="operator"), await make.party(database, kind="owner")
    office.behave("refuse")
    assert await send(database, office) == 1
    await charged(database, startup, owner, dataset_id=new_id(), price=3_000)
    unsigned = await invoice_of(database, startup)
    async with client_for(*invoices_api.handlers) as client:
        for state, invoice, other in (("refused", refused, unsigned), ("unsigned", unsigned, refused)):
            path = f"/api/v1/invoices/issued?office={state}"
            found = (await client.get(path, token=operator.token)).json()["items"]
            assert {each["office"] for each in found} == {state}
            ids = {each["id"] for each in found}
            assert (str(invoice.id) in ids, str(other.id) in ids) == (True, False)


def test_xml_that_holds_a_dtd_is_not_read() -> None:
    with pytest.raises(NotXml):
        parse(b"<!DOCTYPE a><a/>")
    assert etree.tostring(parse(b"<a><!-- x --><?y?>1</a>")) == b"<a>1</a>"


async def test_the_sweep_signs_sends_and_keeps_its_own_key_where_none_is_configured(
    database: Database, office: Office, billed: tuple[Party, Document], tmp_path: Path
) -> None:
    startup, _ = billed
    owner = await Make().party(database, kind="owner")
    await charged(database, startup, owner, dataset_id=new_id(), price=7_000)
    fresh = await invoice_of(database, startup)
    keys, alone = Keys(tmp_path / "keys"), Config(home=tmp_path)
    assert await sweep_einvoices(database, keys, alone) == 0, "nobody to send it to"
    row = await row_of(database, fresh)
    assert (row.state, row.trouble) == ("waiting", "not_configured")
    asking = Config(
        home=tmp_path, einvoice_gateway_url=office.url, einvoice_gateway_certificate=office.certificate
    )
    async with database.session() as session:
        await session.execute(text("update einvoice set next_at = now() where invoice_id = :id"), {"id": fresh.id})
    assert await sweep_einvoices(database, keys, asking) >= 1
    row = await row_of(database, fresh)
    assert row.state == "coded"
    own = seller_identity(asking, keys)
    assert own == seller_identity(alone, Keys(tmp_path / "keys"))
    assert "DLHDon" in signed_elements(parse(row.coded_xml), "./DSCKS/NBan/", own.certificate)
    other = tmp_path / "seller.pem"
    other.write_bytes(self_signed("Người khác"))
    assert seller_identity(Config(home=tmp_path, einvoice_seller_key=other), keys) != own


def test_a_file_without_key_or_certificate_is_no_identity() -> None:
    whole = split_pem(self_signed("A"))
    for part in (whole.key, whole.certificate, b""):
        with pytest.raises(ValueError, match="private key with a certificate"):
            split_pem(part)
