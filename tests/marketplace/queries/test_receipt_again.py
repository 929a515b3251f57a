"""The regulator decides again at home: a receipt, a pinned key, a policy, and neither network nor database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marketplace.audit.verify import verify_receipt
from marketplace.verifier.command import read_key
from policies.kept import keep
from sandbox.isolation import bwrap
from tests.market import EXAMPLES, Market


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


def receipt(market: Market, path: str, folder: Path, role: str = "regulator") -> str:
    until = time.monotonic() + 60
    while not (answer := market.client(role).get(f"/api/v1/{path}/receipt")).ok:
        assert answer.json()["code"] == "receipt.pending", answer.body
        assert time.monotonic() < until
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
        path = receipt(market, f"queries/{query_id}", tmp_path)
        for given in (policy, policy / "policy.wasm"):
            done = verify(market, path, "--key", key, "--policy", str(given), "--json")
            assert done.returncode == 0, done.stdout + done.stderr
            checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
            assert {"policy", "facts", "decision", "opened"} <= checks.keys()
            assert checks["decision"]["detail"] == said
    limits = policy / "data" / "limits.json"
    limits.write_text(limits.read_text().replace("10000", "20000"))
    done = verify(market, path, "--key", key, "--policy", str(policy))
    assert done.returncode == 1
    assert "is not the one that decided" in done.stderr


def told(market: Market, name: str) -> str:
    """The decision of the newest event of that name."""
    found = market.client("regulator").get(f"/api/v1/audit/events?name={name}&limit=1").json()["items"]
    decision_id: str = found[0]["body"]["decision_id"]
    return decision_id


def refused_quote(market: Market, folder: Path) -> str:
    denied = market.client("startup").post("/api/v1/queries/quote", market.ask(purpose="product.rnd"))
    assert denied.status == 403
    return str(denied.json()["params"]["decision_id"])


def refused_application(market: Market, folder: Path) -> str:
    body = {"purpose": "vui.chơi", "justification": "Một lý do đủ dài để được nhận.", "duration_days": 5000,
            "people": [str(market.person("startup").person_id)]}  # fmt: skip
    denied = market.client("startup").post("/api/v1/datasets/adult/applications", body)
    assert denied.status == 403
    return str(denied.json()["params"]["decision_id"])


def refused_listing(market: Market, folder: Path) -> str:
    text = (EXAMPLES / "adult" / "manifest.yaml").read_text()
    manifest, file = folder / "manifest.yaml", folder / "adult.csv"
    manifest.write_text(text.replace("k: 10", "k: 2", 1).replace("slug: adult", "slug: adult_2", 1))
    file.write_text("a\n1\n")
    denied = market.client("owner").upload("/api/v1/datasets", manifest=manifest, file=file)
    assert denied.status == 403, denied.body
    return str(denied.json()["params"]["decision_id"])


def accepted(market: Market, folder: Path) -> str:
    market.agree("adult")
    return told(market, "application:accept")


def published(market: Market, folder: Path) -> str:
    return told(market, "dataset:publish")


@pytest.mark.parametrize(
    ("made", "said", "parties"),
    [
        (refused_quote, "deny", ("startup", "owner")),
        (refused_application, "deny", ("startup", "owner")),
        (refused_listing, "deny", ("owner",)),
        (accepted, "allow", ("startup", "owner")),
        (published, "allow", ("owner",)),
    ],
)
def test_every_decision_has_a_receipt_for_its_parties_and_is_decided_again_offline(
    market: Market,
    tmp_path: Path,
    key: str,
    made: Callable[[Market, Path], str],
    said: str,
    parties: tuple[str, ...],
) -> None:
    pinned = read_key(key)
    decision_id = made(market, tmp_path)
    body = Path(receipt(market, f"decisions/{decision_id}", tmp_path)).read_bytes()
    verified = verify_receipt(body, pinned, keep(tmp_path / "policies"))
    assert verified.ok, verified.checks
    assert {check.name: check.detail for check in verified.checks}["decision"] == said
    whole = json.loads(body)
    assert (whole["decision_id"], whole["query_id"], whole["facts"]["closed"]) == (decision_id, None, [])
    for role in ("startup", "owner", "rival", "rival_owner", "operator", None):
        answer = market.client(role).get(f"/api/v1/decisions/{decision_id}/receipt")
        assert answer.status == (200 if role in parties else 404 if role else 401), role
        if role in parties:
            edition = answer.json()
            opened = {fact["name"]: fact["value"] for fact in edition["facts"]["facts"]}
            assert edition["event"] == whole["event"]
            assert edition["facts"]["facts"] == [f for f in whole["facts"]["facts"] if f["name"] in opened]
            assert "question.schema" in opened
            assert ("sql" in opened) == (role == "startup" and made is refused_quote)
            assert verify_receipt(answer.body, pinned).ok


def test_a_revision_that_never_decided_here_is_told(market: Market, tmp_path: Path) -> None:
    revision = market.client("startup").post("/api/v1/queries", market.ask()).json()["decision"]["policy_revision"]
    assert market.command("policies", "export", str(tmp_path / "a"), "--revision", revision).returncode == 0
    for wrong in ("0" * 16, "..", "../.."):
        done = market.command("policies", "export", str(tmp_path / "b"), "--revision", wrong)
        assert done.returncode == 1
        assert "never decided with policy" in done.stderr
    assert not (tmp_path / "b").exists()
