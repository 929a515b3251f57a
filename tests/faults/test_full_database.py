"""The database's disk is full when a query settles: nothing is half there, nothing is lost, and it is free."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from marketplace.db import embedded
from marketplace.db.roles import OWNER
from tests.market import Market

COUNTS = (
    "SELECT (SELECT count(*) FROM usage), (SELECT count(*) FROM transfer WHERE code = 'query_charge'),"
    " (SELECT count(*) FROM event WHERE name = 'query:settle')"
)


@contextlib.contextmanager
def usage_on_a_full_disk(market: Market) -> Iterator[None]:
    """The table of usage on a small disk of its own, filled; PostgreSQL itself says that there is no room."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder, owner = market.home / "small", (market.home / "postgres" / "data").stat()
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)
        with psycopg.connect(embedded.url(market.home, OWNER), autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'".encode())
            connection.execute("ALTER TABLE usage SET TABLESPACE small")
            connection.execute("ALTER TABLE usage SET (fillfactor = 10)")  # the next row wants a new page
            with contextlib.suppress(OSError), (folder / "full").open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4_096))
            try:
                yield
            finally:
                (folder / "full").unlink()
                connection.execute("ALTER TABLE usage RESET (fillfactor)")
                connection.execute("ALTER TABLE usage SET TABLESPACE pg_default")
                connection.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def counted(market: Market) -> tuple[int, ...]:
    with psycopg.connect(embedded.url(market.home, OWNER)) as connection:
        return tuple(connection.execute(COUNTS).fetchone() or ())


def test_a_full_disk_at_settle_leaves_money_usage_and_log_in_agreement(alive: Market) -> None:
    client, before, available = alive.client("startup"), counted(alive), alive.balance()["available_vnd"]
    with usage_on_a_full_disk(alive):
        failed = client.post("/api/v1/queries", alive.ask()).json()
        assert (failed["state"], failed["charged_vnd"]) == ("failed", 0)
        assert failed["failure"]["code"] == "query.interrupted"
        assert counted(alive) == before
    wallet = alive.balance()
    assert (wallet["available_vnd"], wallet["held_vnd"]) == (available, 0)
    assert client.post("/api/v1/queries", alive.ask()).status == 201
    assert counted(alive) == tuple(each + 1 for each in before)
    assert alive.reconciled()
    done = alive.command("audit", "verify", "--json")
    assert done.returncode == 0, done.stdout
