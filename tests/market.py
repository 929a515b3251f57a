"""A whole market for tests: a real `sandulieu serve` process on a home of its own, with parties and data."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from marketplace.cli.client import Client, Unreachable
from marketplace.cli.demo_parties import CAST, Actor, DemoPerson, House, Parties, prepare_parties
from marketplace.config import Config
from marketplace.db.migrate import upgrade
from tests import forked

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
RIVALS = (
    House("startup", "Rival startup", "rival", (Actor("rival", "rival@test.example", "R", ("admin", "analyst")),)),
    House("startup", "Poor startup", "poor", (Actor("poor", "poor@test.example", "P", ("admin", "analyst")),)),
    House(
        "owner",
        "Rival owner",
        "rival-owner",
        (Actor("rival_owner", "o@test.example", "O", ("steward", "approver")),),
    ),
)
PURPOSE = "research.academic"
SEQUENCER_INTERVAL_MS = "250"
"""Several services stand idle while others are tested: at 100 each takes a tenth of a core for it."""
SMALL_SQL = "select education, count(*) as n from adult group by education order by n desc, education"


@dataclass
class Market:
    """One home, its service process, and a client for each party."""

    home: Path
    port: int
    parties: Parties
    environment: Mapping[str, str]
    begin: forked.Begin = forked.start
    process: forked.Started | None = None
    as_usual: bool = False
    """Whether the process was started without anything special."""
    datasets: dict[str, str] = field(default_factory=dict)
    agreements: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "service.log"

    def client(self, role: str | None) -> Client:
        return Client(self.url, self.parties.tokens[role] if role else None, timeout_s=60)

    def person(self, role: str) -> DemoPerson:
        return self.parties.of(role)

    def start(self, **environment: str) -> None:
        """Start the service and wait until it is ready."""
        self._launch(environment, "/readyz")

    def start_unready(self, **environment: str) -> None:
        """Start the service with a part missing: it answers, but is not ready."""
        self._launch(environment, "/healthz")

    def start_without_background(self) -> None:
        """Start the service whose log and sweeps are a worker's."""
        self._launch({}, "/readyz", "--no-background")

    def _launch(self, environment: Mapping[str, str], path: str, *options: str) -> None:
        self.as_usual = not environment and not options and path == "/readyz"
        arguments = ("serve", "--port", str(self.port), *options)
        self.process = self.begin(arguments, {**self.environment, **environment}, self.log)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.is_alive(), self.log.read_text()[-4000:]
            try:
                if self.client(None).get(path).ok:
                    return
            except Unreachable:
                pass
            time.sleep(0.05)
        raise AssertionError("service not ready: " + self.log.read_text()[-4000:])

    @property
    def pid(self) -> int:
        """Of the service."""
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid

    @property
    def lives(self) -> bool:
        """Whether there is a process that has not ended."""
        return self.process is not None and self.process.is_alive()

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            if self.lives:
                os.kill(self.pid, signal_number)
            assert self.died()

    def died(self, timeout_s: float = 30) -> bool:
        """Whether the process ended by itself within that time."""
        assert self.process is not None
        self.process.join(timeout_s)
        if self.process.is_alive():
            return False
        self.process = None
        return True

    def credit(self, amount_vnd: int = 1_000_000, role: str = "startup") -> None:
        body = {
            "organisation_id": str(self.person(role).organisation_id),
            "amount_vnd": amount_vnd,
            "reference": uuid.uuid4().hex,
        }
        assert self.client("operator").post("/api/v1/wallet/credits", body).ok

    def publish(self, slug: str, manifest: Path, file: Path, *, owner: str = "owner",
              **granted: Any) -> str:  # fmt: skip
        answer = self.client(owner).upload("/api/v1/datasets", manifest=manifest, file=file)
        assert answer.status == 201, answer.body
        self.datasets[slug] = self.client(None).get(f"/api/v1/datasets/{slug}").json()["id"]
        return self.datasets[slug]

    def agree(
        self, slug: str, *, role: str = "startup", purpose: str = PURPOSE, owner: str = "owner", **granted: Any
    ) -> str:
        """Apply and accept; the agreement's id. The startup's newest is the one it asks under."""
        body = {
            "purpose": purpose,
            "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
            "duration_days": 30,
            "people": [str(self.person(role).person_id)],
        }
        applied = self.client(role).post(f"/api/v1/datasets/{self.datasets[slug]}/applications", body)
        assert applied.status == 201, applied.body
        decision = {
            "decision": "accept",
            "reason": "Phù hợp.",
            "expires_at": (datetime.now(UTC) + timedelta(days=20)).isoformat(),
        } | granted
        accepted = self.client(owner).post(f"/api/v1/applications/{applied.json()['id']}/decision", decision)
        assert accepted.ok, accepted.body
        agreement = str(accepted.json()["agreement_id"])
        if role == "startup":
            self.agreements[slug] = agreement
        return agreement

    def ask(self, sql: str = SMALL_SQL, *, slug: str = "adult", **more: Any) -> dict[str, Any]:
        """Body of a query under the slug's agreement."""
        asked = {"agreement_ids": [self.agreements[slug]], "purpose": PURPOSE, "sql": sql, "wait_s": 30}
        return asked | more

    def balance(self, role: str = "startup") -> dict[str, Any]:
        found: dict[str, Any] = self.client(role).get("/api/v1/wallet").json()
        return found

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `sandulieu …` on this home to its end."""
        return forked.run(arguments, self.environment)

    def reconciled(self) -> bool:
        """Whether the books agree with each other and with what was used."""
        done = self.command("ledger", "reconcile", "--json")
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 0


def prepare_home(home: Path) -> Parties:
    """A migrated home with the demo's parties."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = Config(home=home)
    upgrade(config)
    return asyncio.run(prepare_parties(config, cast=(*CAST, *RIVALS)))


UNBOUNDED = {
    f"SANDULIEU_{payer}_FREE_POINTS_AT_ONCE": str(10**12) for payer in ("TENANT", "ADDRESS")
}  # fmt: skip
"""Tests ask in seconds what a tenant asks in days."""


def market_of(home: Path, parties: Parties, **environment: str) -> Market:
    """A market in a home that was prepared; nothing published, service not started."""
    usual = {"SANDULIEU_HOME": str(home), "SANDULIEU_SEQUENCER_INTERVAL_MS": SEQUENCER_INTERVAL_MS, **UNBOUNDED}
    return Market(home, _port(), parties, usual | environment)


def _port() -> int:
    """A free one, of those that the system gives to nobody: it may be long until the service takes it (again)."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
