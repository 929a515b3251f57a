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

from marketplace.einvoices.gateway import HttpGateway
from marketplace.einvoices.identity import Identity, self_signed, split_pem

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
