"""What fails on the way into the exchange or out of it leaves no place taken, no hold standing, nobody charged."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from marketplace.db import embedded
from marketplace.db.roles import OWNER
from marketplace.queries.runner import SPACE
from tests.faults.test_cancelled import _money
from tests.faults.test_underneath import SLOW_SQL, Asking, _running
from tests.market import SMALL_SQL, Market

ENTERING = """
select pg_terminate_backend(a.pid) from pg_stat_activity a join pg_locks l on l.pid = a.pid
where a.wait_event = 'SyncRep' and l.relation = 'query'::regclass and l.mode = 'RowExclusiveLock'
"""
"""A commit that is on the disk, and whose client does not know: it waits for a standby that is not there."""

WAITING = "select from pg_stat_activity where pid = %s and wait_event = 'SyncRep'"
VERSION_TAKEN = "select pg_advisory_xact_lock(hashtextextended(current_version_id, 0)) from dataset where id = %s"
SETTLING_GIVEN_UP = """
select pg_cancel_backend(pid) from pg_locks where pid <> pg_backend_pid() and not granted and locktype = 'advisory'
and pg_backend_pid() = any(pg_blocking_pids(pid))
"""
OF_THE_LIVE = """
update query set state = 'running', finished_at = null, created_at = now() - interval '2 minutes',
    runner = (select objid::bigint from pg_locks where locktype = 'advisory' and classid = %(space)s and granted)
where id = any(%(ids)s)
"""


def test_a_query_whose_answer_has_no_key_leaves_its_place_to_the_next(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_SANDBOX_JAILS="1")
    key = alive.home / "keys" / "answer-seal"
    aside = key.rename(key.with_name("aside")) if key.exists() else None
    key.mkdir()
    ask = alive.client("startup").post
    try:
        before = _money(alive)
        assert ask("/api/v1/queries", alive.ask()).status == 500
    finally:
        key.rmdir()
        if aside is not None:
            aside.rename(key)
    assert _money(alive) == before
    assert ask("/api/v1/queries", alive.ask(wait_s=5)).json()["state"] == "ready"


def test_a_hold_whose_commit_was_not_heard_of_is_given_back(alive: Market) -> None:
    before = _money(alive)
    with _no_commit_answered(alive) as database:
        asking = Asking(alive, SMALL_SQL)
        until = time.monotonic() + 60
        while not database.execute(ENTERING).fetchall():
            assert time.monotonic() < until
            time.sleep(0.01)
    asking.join(30)
    assert asking.answer is not None
    assert (asking.answer.status, asking.answer.json()["code"]) == (503, "database.unavailable")
    query = _ended(alive, alive.client("startup").get("/api/v1/queries").json()["items"][0]["id"])
    assert (query["state"], query["failure"]["code"]) == ("failed", "query.interrupted")
    assert _money(alive) == before
    assert alive.reconciled()


def test_a_query_that_postgresql_gave_up_on_as_it_settled_settles(alive: Market) -> None:
    """Its answer is there and nothing was written: a deadlock with another costs nobody the answer."""
    with psycopg.connect(embedded.url(alive.home, OWNER)) as database:
        database.execute(VERSION_TAKEN, [alive.datasets["adult"]])
        asking = Asking(alive, SMALL_SQL)
        until = time.monotonic() + 60
        while not database.execute(SETTLING_GIVEN_UP).fetchall():
            assert time.monotonic() < until
            time.sleep(0.01)
    query = asking.result()
    assert (query["state"], query["charged_vnd"]) == ("ready", query["quote_vnd"])
    assert alive.balance()["held_vnd"] == 0


def test_a_query_of_a_live_process_that_none_of_its_tasks_knows_is_voided(alive: Market) -> None:
    """And one beside it whose hold is resolved already, so that it cannot be, is no hindrance."""
    resolved = alive.client("startup").post("/api/v1/queries", alive.ask()).json()["id"]
    before = _money(alive)
    forgotten = _left(alive)
    assert _money(alive) != before
    with psycopg.connect(embedded.url(alive.home, OWNER)) as database:
        database.execute(OF_THE_LIVE, {"ids": [resolved, forgotten], "space": SPACE})
    assert _ended(alive, forgotten)["failure"]["code"] == "query.interrupted"
    assert f"query {resolved} was left by its process, and cannot be voided" in alive.log.read_text("utf-8")
    with psycopg.connect(embedded.url(alive.home, OWNER)) as database:
        database.execute("update query set state = 'ready', finished_at = now() where id = %s", [resolved])
    assert _money(alive) == before
    assert alive.reconciled()


def _left(market: Market) -> str:
    """A query whose process was killed, and that no sweep has found."""
    market.client("startup").post("/api/v1/queries", market.ask(SLOW_SQL, wait_s=0))
    query_id = str(_running(market)["id"])
    market.stop(signal.SIGKILL)
    market.start_without_background()
    return query_id


def _ended(market: Market, query_id: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while not (query := market.client("startup").get(f"/api/v1/queries/{query_id}").json())["finished_at"]:
        assert time.monotonic() < until, query
        time.sleep(0.05)
    found: dict[str, Any] = query
    return found


@contextmanager
def _no_commit_answered(market: Market) -> Iterator[psycopg.Connection]:
    """Every commit that writes waits until this is over."""
    with psycopg.connect(embedded.url(market.home, OWNER), autocommit=True) as database:
        try:
            database.execute("alter system set synchronous_standby_names = 'nobody'")
            database.execute("select pg_reload_conf()")
            _until_commits_wait(market, database)
            yield database
        finally:
            database.execute("alter system reset synchronous_standby_names")
            database.execute("select pg_reload_conf()")


def _until_commits_wait(market: Market, database: psycopg.Connection) -> None:
    """PostgreSQL's checkpointer reads the new setting when its turn comes; until then commits are answered."""
    until = time.monotonic() + 60
    waits = False
    while not waits:
        assert time.monotonic() < until
        with closing(psycopg.connect(embedded.url(market.home, OWNER), autocommit=True)) as other:
            other.pgconn.send_query(b"select pg_logical_emit_message(true, 'test', '')")
            while not waits and other.pgconn.is_busy():
                waits = database.execute(WAITING, [other.pgconn.backend_pid]).fetchone() is not None
                other.pgconn.consume_input()
