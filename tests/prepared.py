"""Homes that were prepared once a run and are copied for whoever needs one: initdb and what follows costs seconds.

A copy holds the cluster, and the key that tags what waits for its leaf there; whatever else a home has, other
keys too, is made anew in each.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from marketplace.cli.demo_parties import Parties
from marketplace.config import Config
from marketplace.db import embedded, migrate
from tests.market import Market, market_of, prepare_home

Prepare = Callable[[Path], Parties]


class Prepared:
    """Two homes in `folder`, shared by all workers of a run: with all tables, and with a market's parties too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy_tables(self, home: Path) -> None:
        """A home with all tables and nothing in them; its server is not started."""
        self._copy(self._made("tables", self._tables)[0], home)

    def open_market(self, home: Path, **environment: str) -> Market:
        """A home with a market's parties; nothing published, service not started."""
        made, parties = self._made("parties", self._parties)
        self._copy(made, home)
        return market_of(home, parties, **environment)

    def _made(self, name: str, prepare: Prepare) -> tuple[Path, Parties]:
        home, told, failed = (self._folder / f"{name}{end}" for end in ("", ".json", ".failed"))
        with (self._folder / f"{name}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if failed.exists():  # what lies there is half made: trying again would fail otherwise, and hide why
                raise RuntimeError(failed.read_text())
            if not told.exists():
                try:
                    parties = prepare(home)
                except BaseException:
                    failed.write_text(traceback.format_exc())
                    raise
                finally:
                    embedded.stop(home)
                told.write_bytes(msgspec.json.encode(parties))
        return home, msgspec.json.decode(told.read_bytes(), type=Parties)

    def _parties(self, home: Path) -> Parties:
        self.copy_tables(home)
        return prepare_home(home)

    @staticmethod
    def _tables(home: Path) -> Parties:
        home.mkdir(mode=0o700)
        migrate.upgrade(Config(home=home))
        return Parties()

    @staticmethod
    def _copy(made: Path, home: Path) -> None:
        (home / "postgres").mkdir(parents=True, exist_ok=True, mode=0o700)
        data = made / "postgres" / "data"
        subprocess.run(["cp", "-a", "--reflink=auto", str(data), str(home / "postgres")], check=True)
        copy_event_tag(made, home / "keys")


def copy_event_tag(home: Path, keys: Path) -> None:
    """What is recorded in a database of `home` gets its leaf from whoever has these keys too."""
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(home / "keys" / "event-tag", keys / "event-tag")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Where the homes of this run come from."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared"
    folder.mkdir(exist_ok=True)
    return Prepared(folder)
