"""A tax office in its own process, as tests ask it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct
from sqlalchemy import text

from marketplace.accounts.models import Organisation
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.einvoices.gateway import HttpGateway
from marketplace.einvoices.identity import Identity, self_signed, split_pem
from marketplace.einvoices.sending import sign_new
from marketplace.invoices.document import Document
from tests.marketplace.invoices.bills import charged, invoice_of, rich
from tests.marketplace.parties import Make, Party

ROOT = Path(__file__).resolve().parents[3]


class Office(Struct, frozen=True):
    """Where it listens and what it signs under."""

    url: str
    certificate: Path

    def behave(self, mode: str) -> None:
        httpx.post(f"{self.url}/mode", content=mode)

    def seen(self) -> Any:
        return httpx.get(f"{self.url}/seen").json()

    def gateway(self) -> HttpGateway:
        return HttpGateway(self.url, self.certificate.read_bytes(), timeout_ms=10_000)


@pytest.fixture(scope="session")
def running_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    certificate = Path(tmp_path_factory.mktemp("office")) / "office.pem"
    command = [sys.executable, "-m", "tests.marketplace.einvoices.office", str(certificate)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield Office(process.stdout.readline().strip(), certificate)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def office(running_office: Office) -> Iterator[Office]:
    """It answers as it should, unless told otherwise."""
    running_office.behave("good")
    yield running_office
    running_office.behave("good")


@pytest.fixture(scope="session")
def seller() -> Identity:
    return split_pem(self_signed("Người bán"))


@pytest.fixture
async def billed(database: Database, make: Make, seller: Identity) -> tuple[Party, Document]:
    """A startup and its invoice, signed; nothing else waits."""
    startup, _ = await rich(database, make)
    async with database.session() as session:
        organisation = await session.get(Organisation, startup.organisation.id)
        assert organisation is not None
        organisation.name, organisation.tax_code = "Khởi nghiệp & <Dữ liệu>\x01", "0312345678"
        await session.execute(text("update einvoice set next_at = 'infinity' where state = 'waiting'"))
    owner = await make.party(database, kind="owner")
    for price in (1_001, 2_002):
        await charged(database, startup, owner, dataset_id=new_id(), price=price)
    invoice = await invoice_of(database, startup)
    await sign_new(database, seller, seller_address="Hà Nội", at=utcnow(), retry_after_s=60)
    async with database.session() as session:
        await session.execute(
            text("update einvoice set next_at = 'infinity' where state = 'waiting' and invoice_id <> :id"),
            {"id": invoice.id},
        )
    return startup, invoice
