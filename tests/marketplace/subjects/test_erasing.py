"""A person who asked and paid is erased by a command: who it was is nowhere, and everything is still proven."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from marketplace.cli.client import Client
from marketplace.cli.demo_parties import Actor, House, prepare_parties
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.roles import OWNER
from tests.market import SMALL_SQL, Market
from tests.marketplace.verifier.outside import SCRIPT

NAME, EMAIL = "Lý Thị Sẽ Xóa", "se.xoa@startup.example"


def join(market: Market) -> None:
    """A startup of one person, with money and an agreement."""
    house = House("startup", "Công ty một người", "mot-nguoi", (Actor("gone", EMAIL, NAME, ("admin", "analyst")),))
    made = asyncio.run(prepare_parties(Config(home=market.home), cast=(house,)))
    market.parties.people.extend(made.people)
    market.parties.tokens.update(made.tokens)
    market.credit(role="gone")


def settled(client: Client, agreement_id: str) -> str:
    body = {"agreement_ids": [agreement_id], "purpose": "research.academic", "sql": SMALL_SQL, "wait_s": 30}
    query_id: str = client.post("/api/v1/queries", body).json()["id"]
    return query_id


def keep_receipt(client: Client, query_id: str, path: Path) -> Path:
    until = time.monotonic() + 30
    while not (answer := client.get(f"/api/v1/queries/{query_id}/receipt")).ok:
        assert answer.json()["code"] == "receipt.pending", answer.body
        assert time.monotonic() < until
        time.sleep(0.05)
    path.write_bytes(answer.body)
    return path


def verified(*arguments: str | Path) -> dict[str, str]:
    """What docs/verify.py says in a process of its own: name of the check -> detail."""
    command = [sys.executable, "-I", str(SCRIPT), *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return {check["name"]: check["detail"] for check in json.loads(done.stdout)["checks"]}


def held(market: Market, *texts: str) -> list[tuple[str, str]]:
    """Which table holds which of these texts."""
    found = []
    with psycopg.connect(embedded.url(market.home, OWNER)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            for each in texts:
                row = sql.SQL("SELECT 1 FROM {} AS t WHERE t::text ILIKE %s LIMIT 1").format(sql.Identifier(table))
                if connection.execute(row, (f"%{each}%",)).fetchone():
                    found.append((table, each))
    return found


@contextmanager
def as_role(market: Market, role: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {"SANDULIEU_URL": market.url, "SANDULIEU_TOKEN": market.parties.tokens[role]}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_who_asked_is_erased_and_receipt_log_and_export_still_hold(market: Market, tmp_path: Path) -> None:
    join(market)
    gone, regulator = market.client("gone"), market.client("regulator")
    query_id = settled(gone, market.agree("adult", role="gone"))
    key = tmp_path / "log.vkey"
    key.write_bytes(market.client(None).get("/api/v1/audit/key").body)
    before = keep_receipt(gone, query_id, tmp_path / "before.json")
    person_id = str(market.person("gone").person_id)
    assert {each for _, each in held(market, NAME, EMAIL)} == {NAME, EMAIL}
    for role, code in (("gone", "auth.forbidden"), ("regulator", "auth.forbidden")):
        with as_role(market, role):
            refused = market.command("subjects", "erase", person_id)
        assert (refused.returncode, code in refused.stderr) == (1, True), refused.stderr
    with as_role(market, "operator"):
        assert market.command("subjects", "erase", str(uuid4())).returncode == 1
        for _ in range(2):
            done = market.command("subjects", "erase", person_id, "--json")
            assert (done.returncode, json.loads(done.stdout)) == (0, {"person": person_id, "erased": True})
    assert held(market, NAME, EMAIL) == []
    assert gone.get("/api/v1/wallet").status == 401
    after = keep_receipt(regulator, query_id, tmp_path / "after.json")
    for receipt in (before, after):
        assert query_id in verified("receipt", receipt, "--key", key)["event"], "also the one kept from before"
        assert NAME not in receipt.read_text()
    assert json.loads(after.read_text())["event"]["actor_person_id"] == person_id, "an id that says nothing"
    told = regulator.get(f"/api/v1/audit/events?name=person:erase&person={market.person('operator').person_id}")
    (erased,) = [each for each in told.json()["items"] if each["body"]["person"] == person_id]
    assert erased["body"]["commitments"] == 2
    assert market.command("audit", "export", str(tmp_path / "public")).returncode == 0
    regulator.save("/api/v1/audit/exports", {"form": "ndjson"}, tmp_path / "all.zip")
    market.command("audit", "export", str(tmp_path / "public"))
    whole = verified("export", tmp_path / "public", tmp_path / "all.zip", "--key", key)
    count, _, size = whole["complete"].partition(" / ")
    assert count == size, "no row of the log is missing from what the regulator took"
