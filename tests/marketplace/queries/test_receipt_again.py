"""The regulator decides again at home: a receipt, a pinned key, a policy, and neither network nor database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.isolation import bwrap
from tests.market import Market


def verify(market: Market, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`sandulieu audit verify` where there is no network at all and this home is not there."""
    found = bwrap.find()
    assert found is not None
    alone = [found, "--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", str(market.home), "--unshare-net"]
    return subprocess.run(
        [*alone, sys.executable, "-m", "marketplace.cli.main", "audit", "verify", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def receipt(market: Market, query_id: str, folder: Path) -> str:
    until = time.monotonic() + 10
    while not (answer := market.client("regulator").get(f"/api/v1/queries/{query_id}/receipt")).ok:
        assert time.monotonic() < until, answer.body
        time.sleep(0.05)
    (folder / "receipt.json").write_bytes(answer.body)
    return str(folder / "receipt.json")


@pytest.fixture
def key(market: Market, tmp_path: Path) -> str:
    (tmp_path / "log.vkey").write_bytes(market.client(None).get("/api/v1/audit/key").body)
    return str(tmp_path / "log.vkey")


def test_what_was_allowed_and_what_was_denied_is_decided_again_offline(
    market: Market, tmp_path: Path, key: str
) -> None:
    policy = tmp_path / "policy"
    exported = market.command("policies", "export", str(policy), "--json")
    assert exported.returncode == 0, exported.stderr
    ran = market.client("startup").post("/api/v1/queries", market.ask()).json()
    assert json.loads(exported.stdout) == {"revision": ran["decision"]["policy_revision"]}
    denied = market.client("startup").post("/api/v1/queries", market.ask(purpose="product.rnd")).json()
    for query_id, said in ((ran["id"], "allow"), (denied["params"]["query_id"], "deny")):
        path = receipt(market, query_id, tmp_path)
        for given in (policy, policy / "policy.wasm"):
            done = verify(market, path, "--key", key, "--policy", str(given), "--json")
            assert done.returncode == 0, done.stdout + done.stderr
            checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
            assert {"policy", "facts", "decision", "secret:wallet"} <= checks.keys()
            assert checks["decision"]["detail"] == said
    limits = policy / "data" / "limits.json"
    limits.write_text(limits.read_text().replace("10000", "20000"))
    done = verify(market, path, "--key", key, "--policy", str(policy))
    assert done.returncode == 1
    assert "is not the one that decided" in done.stderr


def test_a_revision_that_never_decided_here_is_told(market: Market, tmp_path: Path) -> None:
    revision = market.client("startup").post("/api/v1/queries", market.ask()).json()["decision"]["policy_revision"]
    assert market.command("policies", "export", str(tmp_path / "a"), "--revision", revision).returncode == 0
    for wrong in ("0" * 16, "..", "../.."):
        done = market.command("policies", "export", str(tmp_path / "b"), "--revision", wrong)
        assert done.returncode == 1
        assert "never decided with policy" in done.stderr
    assert not (tmp_path / "b").exists()
