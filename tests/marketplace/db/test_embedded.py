"""The embedded PostgreSQL: shared by processes of one home, stopped by the last, none the worse for SIGKILL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from marketplace.db import embedded, server
from tests.prepared import Prepared

OTHER = """
import sys
from pathlib import Path
from marketplace.db import embedded
print(embedded.start(Path(sys.argv[1])), flush=True)
sys.stdin.readline()
"""


class Other:
    """Another process of ours on the same home."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


@pytest.fixture
def made(own_home: Path, prepared: Prepared) -> Path:
    """A home whose cluster is there."""
    prepared.copy_tables(own_home)
    return own_home


def postmaster(home: Path) -> int | None:
    try:
        return int((home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])
    except FileNotFoundError:
        return None


def remember(url: str, word: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table if not exists remembered (word text)")
        connection.execute("insert into remembered values (%s)", [word])


def remembered(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select word from remembered")]


def test_it_starts_listens_on_no_port_and_syncs_to_disk(own_home: Path) -> None:
    url = embedded.start(own_home)
    with psycopg.connect(url) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchone()
            for name in ("listen_addresses", "fsync", "synchronous_commit", "data_checksums", "server_encoding")
        }
        who = connection.execute("select current_user, pg_catalog.current_setting('is_superuser')").fetchone()
    assert shown == {
        "listen_addresses": ("",), "fsync": ("on",), "synchronous_commit": ("on",),
        "data_checksums": ("on",), "server_encoding": ("UTF8",),
    }  # fmt: skip
    assert who == ("sandulieu_service", "off")
    socket = own_home / "postgres" / ".s.PGSQL.5432"
    assert socket.stat().st_mode & 0o077 == 0
    assert (own_home / "postgres").stat().st_mode & 0o077 == 0


def test_starting_twice_finds_it_running_and_the_last_to_leave_stops_it(made: Path) -> None:
    first = embedded.start(made)
    pid = postmaster(made)
    assert embedded.start(made) == first
    other = Other(made)
    assert (other.url, postmaster(made)) == (first, pid)
    assert embedded.stop(made) is False
    assert embedded.stop(made) is False
    psycopg.connect(first).close()
    other.leave()
    assert postmaster(made) is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first)


def test_a_killed_process_leaves_a_server_that_the_next_one_uses_and_stops(made: Path) -> None:
    other = Other(made)
    owner = embedded.url(made, "sandulieu")
    remember(owner, "before")
    other.kill()
    pid = postmaster(made)
    assert pid is not None
    embedded.start(made)
    assert postmaster(made) == pid
    assert remembered(owner) == ["before"]
    assert embedded.stop(made) is True
    assert postmaster(made) is None


def test_a_killed_server_is_started_again_with_everything_committed(made: Path) -> None:
    embedded.start(made)
    owner = embedded.url(made, "sandulieu")
    remember(owner, "committed")
    pid = postmaster(made)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/cwd").exists():
        pass
    embedded.start(made)
    assert postmaster(made) != pid
    assert remembered(owner) == ["committed"]


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(made: Path) -> None:
    embedded.start(made)
    embedded.stop(made)
    stale = made / "postgres" / "data" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{stale.parent}\n0\n5432\n{stale.parent}\n\n0 0\nready\n")
    psycopg.connect(embedded.start(made)).close()
    assert postmaster(made) not in {None, os.getpid()}


def test_a_long_home_gets_a_short_socket_folder(own_home: Path) -> None:
    deep = own_home / ("x" * 60) / ("y" * 60)
    url = embedded.start(deep)
    psycopg.connect(url).close()
    folder = Path(url.split("host=")[1])
    assert not folder.is_relative_to(deep)
    assert folder.stat().st_mode & 0o077 == 0
    embedded.stop(deep)
    shutil.rmtree(folder)


def test_a_short_socket_folder_of_somebody_else_is_not_trusted(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deep = own_home / ("x" * 60) / ("y" * 60) / "postgres"
    deep.mkdir(parents=True)
    planted = server.socket_folder(deep)
    planted.rmdir()
    planted.symlink_to(own_home)
    with pytest.raises(server.StartFailed, match="somebody else"):
        server.socket_folder(deep)


def test_a_server_that_cannot_start_says_why(made: Path) -> None:
    embedded.start(made)
    embedded.stop(made)
    with (made / "postgres" / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(server.StartFailed, match="no_such_setting"):
        embedded.start(made)
