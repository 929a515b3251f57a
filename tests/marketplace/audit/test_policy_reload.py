"""A policy that is loaded again, or refused, is an event, written by the process that was told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.web.hangup import reload_policy
from policies.engine import Engine
from policies.kept import keep
from policies.module import WASM
from policies.wasm import WasmEngine
from tests.marketplace.audit.conftest import Log
from tests.policies.conftest import engine_of, program, running, signed, stamp


async def told(log: Log, engine: Engine, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """Name and body of the event after a reload; the log has no other."""
    log.tamper("DELETE FROM event_salt", "DELETE FROM pending_leaf", "DELETE FROM event")
    await reload_policy(engine, Config(home=tmp_path), log.database)
    assert await log.one("SELECT count(*) FROM event") == 1
    return await log.one("SELECT name FROM event"), await log.one("SELECT body FROM event")


@pytest.fixture
async def log_of_one(log: Log) -> Log:
    async with log.database.session() as session:
        await record(session, "test:event")
    return log


async def test_a_module_loaded_again_and_one_refused_are_events(log_of_one: Log, tmp_path: Path) -> None:
    folder = keep(tmp_path / "kept")
    engine = WasmEngine(folder=folder)
    before = engine.revision
    limits = folder / "data" / "limits.json"
    limits.write_bytes(limits.read_bytes() + b"\n")
    name, body = await told(log_of_one, engine, tmp_path)
    assert (name, body["before"], body["after"], body["code"]) == (
        "policy:refuse", before, before, "policy.stale"
    )  # fmt: skip
    assert body["params"]["served"] == before
    after = stamp(folder)
    assert body["params"]["expected"] == after
    name, body = await told(log_of_one, engine, tmp_path)
    assert (name, body["before"], body["after"]) == ("policy:reload", before, after)
    (folder / WASM).write_bytes(b"no module")
    stamp(folder)
    name, body = await told(log_of_one, engine, tmp_path)
    assert (name, body["after"], body["code"]) == ("policy:refuse", after, "policy.engine_failed")
    assert await log_of_one.sequence() == 1, "it has its leaf"
    await engine.close()


@pytest.mark.parametrize(
    ("age_s", "other_key", "refused"),
    [(0, False, None), (7200, False, "policy.too_old"), (0, True, "policy.unsigned")],
)
async def test_a_servers_bundle_that_is_too_old_or_not_signed_by_us_is_refused(
    log_of_one: Log, tmp_path: Path, age_s: int, other_key: bool, refused: str | None
) -> None:
    folder, foreign = tmp_path / "ours", tmp_path / "foreign"
    folder.mkdir()
    foreign.mkdir()
    opa = program("opa")
    ours = signed(opa, folder, age_s=age_s)
    served = signed(opa, foreign) if other_key else ours
    with running(opa, "--config-file", served.configuration) as server:
        engine = engine_of(server.url, ours)
        name, body = await told(log_of_one, engine, tmp_path)
        await engine.close()
    assert name == ("policy:refuse" if refused else "policy:reload")
    assert body.get("code") == refused
    assert body["after"] == ours.revision


async def test_a_policy_is_taken_though_the_log_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = keep(tmp_path / "kept")
    engine = WasmEngine(folder=folder)
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", connections=1)
    limits = folder / "data" / "limits.json"
    limits.write_bytes(limits.read_bytes() + b"\n")
    after = stamp(folder)
    await reload_policy(engine, Config(home=tmp_path), nowhere)
    assert engine.revision == after
    assert "is not in the log: database.unavailable" in caplog.text
    await engine.close()
    await nowhere.close()
