"""A policy is replaced while it is asked: nothing fails, and each decision names the revision that made it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from policies import build, release, sources
from policies import trust as trust_module
from policies.clock import Clock
from policies.decision import Decision
from policies.engine import Engine
from policies.module import WASM, Unusable
from policies.standing import Standing
from policies.trust import Trust
from policies.wasm import WasmEngine
from tests.policies.cases import codes, question
from tests.policies.conftest import engine_of, running, signed, stamp

QUESTION = question("rows", {})
ASKERS = 8
LIMITS = (10_000, 9_000)
POLL_S = (1, 1)
PATIENCE = 600


def _limit(folder: Path, rows: int) -> str:
    """Change what the policy lets out; the revision that this makes."""
    path = folder / "data" / "limits.json"
    document = msgspec.json.decode(path.read_bytes())
    document["limits"]["modes"]["rows"]["max_rows"] = rows
    path.write_bytes(msgspec.json.encode(document))
    return stamp(folder)


async def _asked_meanwhile(engine: Engine, change: Callable[[], Awaitable[None]]) -> list[Decision]:
    """All that was decided while the change was made."""
    over = asyncio.Event()

    async def ask() -> list[Decision]:
        made = []
        while not over.is_set():
            made.append(await engine.decide(QUESTION))
            await asyncio.sleep(0)
        return made

    askers = [asyncio.create_task(ask()) for _ in range(ASKERS)]
    await change()
    over.set()
    return [decision for asker in askers for decision in await asker]


def _rows_by_revision(decisions: list[Decision]) -> Counter[tuple[str, int]]:
    assert all(decision.allow for decision in decisions), Counter(code for d in decisions for code in codes(d))
    return Counter((d.policy_revision, d.obligations.max_rows if d.obligations else 0) for d in decisions)


async def test_a_module_is_replaced_while_it_is_asked(copied_policy: Path) -> None:
    revisions = {_limit(copied_policy, rows): rows for rows in LIMITS}
    engine = WasmEngine(folder=copied_policy)

    async def reload() -> None:
        for rows in (*LIMITS, *LIMITS):
            _limit(copied_policy, rows)
            await engine.reload()

    made = _rows_by_revision(await _asked_meanwhile(engine, reload))
    assert set(made) == set(revisions.items())
    await engine.close()


async def test_a_module_that_cannot_be_used_leaves_the_old_one_in_its_place(copied_policy: Path) -> None:
    engine = WasmEngine(folder=copied_policy)
    before = engine.revision
    sound = (copied_policy / WASM).read_bytes()
    (copied_policy / WASM).write_bytes(b"no module")
    with pytest.raises(Unusable) as half_deployed:
        await engine.reload()
    stamp(copied_policy)
    with pytest.raises(Unusable) as broken:
        await engine.reload()
    assert (half_deployed.value.reason.code, broken.value.reason.code) == ("policy.stale", "policy.engine_failed")
    decision = await engine.decide(QUESTION)
    assert (decision.allow, decision.policy_revision, (await engine.health()).code) == (True, before, None)
    (copied_policy / WASM).write_bytes(sound)
    after = _limit(copied_policy, LIMITS[1])
    await engine.reload()
    assert (await engine.decide(QUESTION)).policy_revision == after != before
    await engine.close()


async def test_an_engine_that_could_not_start_decides_after_a_reload(copied_policy: Path) -> None:
    sound = (copied_policy / WASM).read_bytes()
    (copied_policy / WASM).write_bytes(b"")
    engine = WasmEngine(folder=copied_policy)
    assert not (await engine.decide(QUESTION)).allow
    (copied_policy / WASM).write_bytes(sound)
    await engine.reload()
    assert (await engine.decide(QUESTION)).allow
    await engine.close()


@pytest.fixture
def web_folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and its address: whatever is put there is served, by a process of its own."""
    folder = tmp_path / "served"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        yield folder, f"http://127.0.0.1:{port}"
        server.kill()


async def test_a_server_takes_a_new_bundle_while_it_is_asked(
    opa: Path,
    copied_policy: Path,
    web_folder: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, address = web_folder
    monkeypatch.setattr(release, "POLL_S", POLL_S)
    first = signed(opa, folder, served_at=address)
    with running(opa, "--config-file", first.configuration) as server:
        engine = engine_of(server.url, first)
        for module in (sources, build):
            monkeypatch.setattr(module, "FOLDER", copied_policy)
        second = _limit(copied_policy, LIMITS[1])

        async def replace() -> None:
            await engine.reload()
            assert (await engine.health()).healthy
            await asyncio.to_thread(signed, opa, folder, served_at=address)
            for _ in range(PATIENCE):
                if (await engine.decide(QUESTION)).policy_revision == second:
                    break
                await asyncio.sleep(0.05)

        made = _rows_by_revision(await _asked_meanwhile(engine, replace))
        await engine.close()
    assert set(made) == {(first.revision, LIMITS[0]), (second, LIMITS[1])}


def test_a_revision_that_was_replaced_is_not_believed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubt(revision: str) -> str | None:
        seen = Standing(revision=revision, built_at_ms=Clock().now_ms(), key_id="key")
        reason = trust.doubt(frozenset({revision}), seen)
        return reason.code if reason else None

    trust = Trust(revision="old", key_id="key", max_age_s=60, clock=Clock())
    assert (doubt("old"), doubt("new")) == (None, "policy.stale")
    trust.expect("new")
    assert (doubt("old"), doubt("new")) == (None, None)
    assert doubt("old") == "policy.stale"
    trust.expect("newest")
    monkeypatch.setattr(trust_module, "HANDOVER_S", -1.0)
    trust.expect("never fetched")
    assert doubt("newest") == "policy.stale"
