"""A bundle that is unsigned, of another key, changed or old is not decided by, whoever let it in."""

from __future__ import annotations

import asyncio
import io
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.build import bundle
from policies.decision import Decision
from policies.health import Health
from policies.release import Released
from policies.server import ServerEngine
from policies.signing import PRIVATE, PUBLIC, key_id, signing_key
from tests.policies.cases import codes, question
from tests.policies.conftest import engine_of, running, signed

QUESTION = question("rows", {})
HOUR_S = 3600


async def _asked(engine: ServerEngine) -> tuple[Decision, Health]:
    decision, health = await engine.decide(QUESTION), await engine.health()
    await engine.close()
    return decision, health


def _without_signature(opa: Path, made: Released) -> None:
    bundle(opa, made.bundle)


def _with_another_key(opa: Path, made: Released) -> None:
    other = made.bundle.parent / "other"
    other.mkdir()
    signed(opa, other).bundle.replace(made.bundle)


def _changed(opa: Path, made: Released) -> None:
    del opa
    with tarfile.open(made.bundle) as archive:
        files = [(m, archive.extractfile(m).read()) for m in archive.getmembers()]  # type: ignore[union-attr]
    with tarfile.open(made.bundle, "w:gz") as archive:
        for member, content in files:
            spoiled = content.replace(b'"k_floor":5', b'"k_floor":1')
            member.size = len(spoiled)
            archive.addfile(member, io.BytesIO(spoiled))


@pytest.mark.parametrize("spoil", [_without_signature, _with_another_key, _changed])
async def test_a_bundle_that_does_not_verify_is_never_loaded(
    opa: Path, tmp_path: Path, spoil: Callable[[Path, Released], None]
) -> None:
    made = signed(opa, tmp_path)
    before = made.bundle.read_bytes()
    spoil(opa, made)
    assert made.bundle.read_bytes() != before
    with running(opa, "--config-file", made.configuration, ready="/health") as server:
        decision, health = await _asked(engine_of(server.url, made))
    assert (decision.allow, codes(decision)) == (False, ["policy.undefined"])
    assert health == Health(revision=made.revision, code="policy.undefined")


async def test_a_server_that_verifies_nothing_is_not_believed(opa: Path, tmp_path: Path) -> None:
    made = signed(opa, tmp_path)
    with running(opa, "--bundle", made.bundle, "--skip-verify") as server:
        decision, health = await _asked(engine_of(server.url, made))
    assert (decision.allow, codes(decision), health.code) == (False, ["policy.unsigned"], "policy.unsigned")
    assert decision.reasons[0].params == {"expected": made.key_id}


async def test_a_server_that_verifies_with_another_key_is_not_believed(
    opa: Path, opa_url: str, released: Released, tmp_path: Path
) -> None:
    other = signed(opa, tmp_path)
    assert (other.revision, other.key_id != released.key_id) == (released.revision, True)
    decision, _ = await _asked(engine_of(opa_url, other))
    assert (decision.allow, codes(decision)) == (False, ["policy.unsigned"])


async def test_the_age_of_a_bundle_is_shown_and_one_too_old_denies(opa: Path, tmp_path: Path) -> None:
    made = signed(opa, tmp_path, age_s=HOUR_S + 1)
    with running(opa, "--config-file", made.configuration) as server:
        old, health = await _asked(engine_of(server.url, made, max_age_s=HOUR_S))
        young, fine = await _asked(engine_of(server.url, made, max_age_s=2 * HOUR_S))
    assert (old.allow, codes(old), health.code) == (False, ["policy.too_old"], "policy.too_old")
    assert (young.allow, fine.code) == (True, None)
    assert health.age_s is not None
    assert fine.age_s is not None
    assert HOUR_S < health.age_s <= fine.age_s < 2 * HOUR_S


async def test_a_bundle_signed_later_than_now_denies(opa: Path, tmp_path: Path) -> None:
    made = signed(opa, tmp_path, age_s=-HOUR_S)
    with running(opa, "--config-file", made.configuration) as server:
        decision, health = await _asked(engine_of(server.url, made))
    assert (decision.allow, codes(decision)) == (False, ["policy.clock_went_back"])
    assert (health.code, health.age_s) == ("policy.clock_went_back", None)


async def test_many_at_once_are_decided_while_health_looks(opa_url: str, released: Released) -> None:
    engine = engine_of(opa_url, released)
    told = asyncio.gather(*(engine.decide(QUESTION) for _ in range(40)))
    healths = await asyncio.gather(*(engine.health() for _ in range(10)))
    decisions = await told
    await engine.close()
    assert all(health.healthy for health in healths)
    assert all(decision.allow for decision in decisions)


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    private = signing_key(folder)
    first = (private.read_bytes(), (folder / PUBLIC).read_bytes())
    assert private.name == PRIVATE
    assert private.stat().st_mode & 0o777 == 0o600
    assert signing_key(folder) == private
    assert (private.read_bytes(), (folder / PUBLIC).read_bytes()) == first
    assert b"PRIVATE" not in first[1]
    assert len(key_id(first[1])) == 16


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="PEM"):
        key_id(b"nothing")


def test_a_release_says_when_it_was_signed(released: Released) -> None:
    with tarfile.open(released.bundle) as archive:
        assert {"/.manifest", "/.signatures.json"} <= set(archive.getnames())
    assert abs(time.time_ns() // 1_000_000 - released.built_at_ms) < 600_000
