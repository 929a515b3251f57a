"""Files that are damaged or gone, a disk without room, a machine without namespaces: free, told, nothing held."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog.storage import Store
from marketplace.cli.present import _layer
from sandbox.isolation import bwrap, layers
from tests import forked
from tests.catalog.conftest import pseudonymise
from tests.catalog.plain import in_process
from tests.catalog.small import MANIFEST, people, publish_rows
from tests.market import Market

SHIM = """#!/bin/sh
case "$1" in --help) echo --disable-userns; exit 0;; esac
echo "bwrap: No permissions to create new namespace, likely because the kernel does not allow it" >&2
exit 1
"""


def _a_part(market: Market) -> Path:
    """The first part of the newest version of adult."""
    version: str = market.client(None).get("/api/v1/datasets/adult").json()["version"]["id"]
    return market.home / "store" / "versions" / version / "part-00000.parquet"


@contextmanager
def _page_changed(part: Path) -> Iterator[None]:
    """One byte in the middle of the part."""
    content = part.read_bytes()
    middle = len(content) // 2
    _put(part, content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
    yield
    _put(part, content)


def _put(part: Path, content: bytes) -> None:
    part.chmod(0o644)
    part.write_bytes(content)
    part.chmod(0o444)


@contextmanager
def _gone(part: Path) -> Iterator[None]:
    part.rename(part.with_suffix(".away"))
    yield
    part.with_suffix(".away").rename(part)


@pytest.mark.parametrize("damage", [_page_changed, _gone])
def test_a_part_that_is_damaged_or_gone_costs_nothing_and_is_named_in_the_log(alive: Market, damage: Any) -> None:
    part, before = _a_part(alive), alive.balance()["available_vnd"]
    with damage(part):
        query = alive.client("startup").post("/api/v1/queries", alive.ask()).json()
        assert (query["state"], query["failure"]["code"]) == ("failed", "sandbox.unavailable")
        assert query["charged_vnd"] == 0
    after = alive.balance()
    assert (after["available_vnd"], after["held_vnd"]) == (before, 0)
    assert f"{part.parent.name}: {part.name}" in alive.log.read_text(encoding="utf-8")
    assert alive.client("startup").post("/api/v1/queries", alive.ask()).json()["state"] == "ready"
    assert alive.reconciled()


def test_a_memory_bomb_ends_alone_and_costs_its_quote(alive: Market) -> None:
    bomb = "select len(list(a.occupation || b.occupation)) as n from adult a join adult b on a.sex <> b.education"
    query = alive.client("startup").post("/api/v1/queries", alive.ask(bomb)).json()
    assert (query["state"], query["failure"]["code"]) == ("failed", "sandbox.memory")
    assert query["charged_vnd"] == query["quote_vnd"]
    assert alive.balance()["held_vnd"] == 0
    assert alive.client("startup").post("/api/v1/queries", alive.ask()).json()["state"] == "ready"


def test_what_a_service_cannot_start_without_is_told_in_words(alive: Market, tmp_path: Path) -> None:
    described = tmp_path / "log.toml"
    described.write_text('kind = "s3"\n')
    described.chmod(0o600)
    alive.stop()
    for name, value, status, said in (
        ("SANDULIEU_LOG_STORE_FILE", str(described), 1, "missing required field `endpoint`"),
        ("SANDULIEU_USD_RATES_VND", "x", 3, "cannot start: SANDULIEU_USD_RATES_VND"),
        ("DATABASE_URL", "postgresql://127.0.0.1:9/x", 3, "cannot start: connection failed"),
    ):
        served = forked.run(("serve", "--port", str(alive.port)), {**alive.environment, name: value})
        assert (served.returncode, "Traceback" in served.stderr) == (status, False), served.stderr
        assert said in served.stderr


def test_where_namespaces_are_forbidden_nothing_runs_and_it_is_told_which_layer_and_how(
    alive: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bubblewrap that fails as it does on such a kernel: forbidding them here would take them from everybody."""
    shim = tmp_path / "usr" / "bin" / "bwrap"
    shim.parent.mkdir(parents=True)
    shim.write_text(SHIM)
    for path in (shim, tmp_path):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    alive.stop()
    served = subprocess.run(
        [sys.executable, "-m", "marketplace.cli.main", "serve", "--port", str(alive.port)],
        env={**os.environ, **alive.environment}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert served.returncode != 0
    assert "  namespaces (bwrap: No permissions" in served.stderr
    assert "Traceback" not in served.stderr
    assert "kernel.unprivileged_userns_clone=1" in served.stderr
    for cached in (bwrap.find, layers.check):
        cached.cache_clear()
    try:
        (part,) = [part for part in map(_layer, layers.check()) if part.name == "namespaces"]
        assert (part.present, part.need) == (False, "always")
    finally:
        for cached in (bwrap.find, layers.check):
            cached.cache_clear()


def test_a_disk_without_room_makes_no_revision_and_leaves_nothing_half(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    store = Store(tmp_path / "store")
    rows = people(60)
    with in_process():
        made = publish_rows(store, tmp_path, rows, manifest=MANIFEST)
    gone = store.cohort_of(made.version.id, pseudonymise([rows[0][0]])[0])
    assert gone is not None
    folder = store.root / "revisions"
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        (folder / "full").write_bytes(bytes(4_096))
        with pytest.raises(OSError, match="No space left"):
            store.revision(made.version.id, purpose="research.academic", excluded=frozenset({gone}), number=1)
        (folder / "full").unlink()
        assert [f for f in folder.rglob("*.parquet") if f.is_file()] == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    revision = store.revision(made.version.id, purpose="research.academic", excluded=frozenset({gone}), number=1)
    assert len(revision.parts) >= 1
