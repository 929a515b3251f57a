"""Large answers, whose files are not the database's: killed at each phase, a full disk, time that runs out."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from marketplace.cli.client import Unreachable
from tests.market import SMALL_SQL, Market

LARGE_SQL = "select * from adult limit 9000"


def _files(market: Market) -> set[str]:
    folder = market.home / "answers"
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _until(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not (done := what()) and time.monotonic() < until:
        time.sleep(0.1)
    return done


def _newest(market: Market) -> dict[str, Any]:
    query: dict[str, Any] = market.client("startup").get("/api/v1/queries").json()["items"][0]
    return query


@pytest.mark.parametrize("point", ["before-keep", "before-settle"])
def test_a_service_killed_with_a_large_answer_in_hand_leaves_no_file_and_no_charge(
    alive: Market, point: str
) -> None:
    alive.agree("adult")  # an agreement of its own: what it may take out is counted
    alive.stop()
    alive.start(SANDULIEU_FAULT=point)
    before, files = alive.balance()["available_vnd"], _files(alive)

    def ask() -> None:
        try:
            alive.client("startup").post("/api/v1/queries", alive.ask(LARGE_SQL))
        except Unreachable:
            return

    asked = threading.Thread(target=ask)
    asked.start()
    assert alive.died(), "the fault point was not reached"
    asked.join()
    assert len(_files(alive) - files) == 1, "nothing was left to remove"
    alive.start()
    assert _until(lambda: _newest(alive)["state"] != "running")
    query = _newest(alive)
    assert (query["state"], query["charged_vnd"]) == ("failed", 0)
    assert alive.balance()["available_vnd"] == before
    assert alive.client("startup").get(f"/api/v1/queries/{query['id']}/result").status == 409
    assert _until(lambda: _files(alive) == files), "the sweep left what nobody can read"
    assert alive.reconciled()


@pytest.fixture
def full_disk(alive: Market) -> Iterator[Path]:
    """The folder of answers on a disk of 64 KiB."""
    folder = alive.home / "answers"
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a full disk needs leave to mount one: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_a_large_query_free_and_small_ones_go_on(alive: Market, full_disk: Path) -> None:
    alive.agree("adult")
    before, client = alive.balance()["available_vnd"], alive.client("startup")
    query = client.post("/api/v1/queries", alive.ask(LARGE_SQL)).json()
    assert (query["state"], query["failure"]["code"]) == ("failed", "query.result_unwritable")
    assert query["charged_vnd"] == 0
    wallet = alive.balance()
    assert (wallet["available_vnd"], wallet["held_vnd"]) == (before, 0)
    assert list(full_disk.iterdir()) == []
    assert client.post("/api/v1/queries", alive.ask(SMALL_SQL)).json()["state"] == "ready"
    assert alive.reconciled()


def test_when_its_time_is_over_a_large_answer_is_gone_from_the_disk(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_RESULT_LIFETIME_S="1")
    alive.agree("adult")
    query = alive.client("startup").post("/api/v1/queries", alive.ask(LARGE_SQL)).json()
    assert query["state"] == "ready"
    assert _until(lambda: query["id"] not in _files(alive))
    gone = alive.client("startup").get(f"/api/v1/queries/{query['id']}/result")
    assert (gone.status, gone.json()["params"]["cause"]) == (410, "expired")
