"""Engines that are down, silent, stale, empty or not understood: each denies, with that reason, in time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from policies import sources
from policies.answer import Asked, canonical, decision_of
from policies.decision import Decision
from policies.engine import Server, open_engine
from policies.module import BUILT, WASM
from policies.release import Released
from policies.server import ServerEngine
from policies.signing import PUBLIC, signing_key
from policies.wasm import WasmEngine
from tests.policies.cases import codes, question
from tests.policies.conftest import engine_of, running, signed, stamp

QUESTION = question("rows", {})
DEADLINE_MS = 200


async def _asked(engine: ServerEngine | WasmEngine) -> tuple[Decision, str | None]:
    """What it decides, and what its health says."""
    try:
        return await engine.decide(QUESTION), (await engine.health()).code
    finally:
        await engine.close()


def _is_denied(asked: tuple[Decision, str | None], code: str) -> bool:
    """With this one reason, no obligation, and the same word of its health."""
    decision, health = asked
    return (decision.allow, codes(decision), decision.obligations, health) == (False, [code], None, code)


async def test_a_dead_port_denies(released: Released) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        asked = await _asked(engine_of(url, released, timeout_ms=DEADLINE_MS))
    assert _is_denied(asked, "policy.engine_unavailable")


async def test_a_socket_that_never_answers_denies_within_the_deadline(released: Released) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = engine_of(f"http://127.0.0.1:{silent.getsockname()[1]}", released, timeout_ms=DEADLINE_MS)
        asked = await _asked(engine)
    assert _is_denied(asked, "policy.engine_unavailable")
    assert asked[0].reasons[0].params == {"timeout_ms": DEADLINE_MS}


async def test_a_server_without_a_bundle_denies(opa: Path, released: Released) -> None:
    with running(opa) as server:
        assert _is_denied(await _asked(engine_of(server.url, released)), "policy.undefined")


async def test_a_server_with_rules_but_no_revision_denies(opa: Path, released: Released) -> None:
    with running(opa, *sources.rules(), *sources.data_files()) as server:
        assert _is_denied(await _asked(engine_of(server.url, released)), "policy.undefined")


async def test_a_server_with_an_old_bundle_denies(
    opa: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("policies.release.revision", lambda: "0123456789abcdef")
        old = signed(opa, tmp_path)
    made = msgspec.structs.replace(old, revision=sources.revision())
    with running(opa, "--config-file", old.configuration) as server:
        asked = await _asked(engine_of(server.url, made))
    assert _is_denied(asked, "policy.stale")
    assert asked[0].reasons[0].params == {"served": "0123456789abcdef", "expected": sources.revision()}


async def test_a_server_that_goes_away_denies(opa: Path, released: Released) -> None:
    with running(opa, "--config-file", released.configuration) as server:
        engine = engine_of(server.url, released)
        assert (await engine.decide(QUESTION)).allow
        assert (await engine.health()).healthy
    assert codes(await engine.decide(QUESTION)) == ["policy.engine_unavailable"]
    await engine.close()


async def test_a_module_of_other_sources_denies(copied_policy: Path) -> None:
    stamp = copied_policy / BUILT
    stamp.write_bytes(stamp.read_bytes().replace(sources.revision().encode(), b"0123456789abcdef"))
    assert _is_denied(await _asked(WasmEngine(folder=copied_policy)), "policy.stale")


async def test_a_module_that_was_tampered_with_denies(copied_policy: Path) -> None:
    with (copied_policy / WASM).open("ab") as module:
        module.write(bytes([0, 2, 1, 120]))  # an empty custom section: still valid, another hash
    assert _is_denied(await _asked(WasmEngine(folder=copied_policy)), "policy.stale")


@pytest.mark.parametrize("content", [b"", b"\x00asm\x01\x00\x00\x00", b"no module at all"])
async def test_a_module_that_is_none_denies(copied_policy: Path, content: bytes) -> None:
    (copied_policy / WASM).write_bytes(content)
    stamp(copied_policy)
    assert _is_denied(await _asked(WasmEngine(folder=copied_policy)), "policy.engine_failed")


async def test_a_folder_without_a_module_denies(copied_policy: Path) -> None:
    (copied_policy / WASM).unlink()
    assert _is_denied(await _asked(WasmEngine(folder=copied_policy)), "policy.engine_failed")


async def test_a_question_too_long_for_the_module_denies(wasm_engine: WasmEngine) -> None:
    many = question("rows", {"agreement": {"people": ["p" * 1000] * 1100}})
    decision = await wasm_engine.decide(many)
    assert codes(decision) == ["policy.question_too_long"]
    assert (await wasm_engine.decide(QUESTION)).allow


@pytest.mark.parametrize("url", ["opa:8181", "ftp://opa", "http://"])
def test_an_address_that_is_none_is_refused_at_the_start(url: str, tmp_path: Path) -> None:
    key = signing_key(tmp_path).with_name(PUBLIC)
    with pytest.raises(ValueError, match="address"):
        open_engine(Server(url=url, timeout_ms=500, verification_key=key, max_age_s=60))


OBLIGATIONS: dict[str, Any] = {
    "mode": "rows", "columns": [], "k_min": 5, "max_rows": 1, "max_bytes": 1, "expires_at": 1, "recheck_after": 1,
}  # fmt: skip
ALLOWED: dict[str, Any] = {"allow": True, "reasons": [], "valid_until": 1, "obligations": OBLIGATIONS}
REASON = {"code": "agreement.ended"}


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        "allow",
        {"allow": True},
        ALLOWED | {"obligations": OBLIGATIONS | {"watermark": True}},
        ALLOWED | {"obligations": OBLIGATIONS | {"mode": "everything"}},
        ALLOWED | {"obligations": None},
        ALLOWED | {"reasons": [REASON]},
        ALLOWED | {"allow": "true"},
        ALLOWED | {"more": 1},
        ALLOWED | {"allow": False, "obligations": None},
        ALLOWED | {"allow": False, "reasons": [REASON]},
        ALLOWED | {"valid_until": 1.5},
    ],
)
def test_an_answer_that_is_unknown_or_contradicts_itself_denies(said: object) -> None:
    decision = decision_of(said, Asked(canonical=b"{}", engine="test", revision="r"))
    assert (decision.allow, codes(decision)) == (False, ["policy.answer_not_understood"])


def test_an_answer_that_is_understood_is_taken() -> None:
    assert decision_of(ALLOWED, Asked(canonical=canonical(QUESTION), engine="test", revision="r")).allow


async def test_a_server_killed_while_it_is_asked_denies_and_its_successor_decides(
    opa: Path, released: Released
) -> None:
    with running(opa, "--config-file", released.configuration) as server:
        engine = engine_of(server.url, released, timeout_ms=30_000)
        assert (await engine.decide(QUESTION)).allow
        server.process.send_signal(signal.SIGSTOP)  # so that the request is surely under way
        await asyncio.to_thread(os.waitid, os.P_PID, server.process.pid, os.WSTOPPED | os.WNOWAIT)
        asked = asyncio.create_task(engine.decide(QUESTION))
        await asyncio.sleep(0.1)
        assert not asked.done()
        server.process.kill()
        assert codes(await asked) == ["policy.engine_unavailable"]
    port = server.url.rpartition(":")[2]
    with running(opa, "--config-file", released.configuration, port=int(port)):
        assert (await engine.decide(QUESTION)).allow
    await engine.close()
