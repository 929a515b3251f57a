"""What a kill leaves on the disk is removed; what a living process works on, or a row names, is not."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Analyst
from marketplace.claimed import working_folder
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database, DatabaseUnavailable
from marketplace.db.keys import Keys
from marketplace.own import adding
from marketplace.own.errors import NoRoom
from marketplace.own.jobs import sweep_abandoned, sweep_files
from marketplace.own.reads import tables
from marketplace.own.vault import FOLDER
from tests.marketplace.parties import Make

DIES = """
import asyncio, sys
from pathlib import Path
from marketplace.claimed import new_file, working_folder

async def work(home):
    async with working_folder(home / "uploads") as place:
        (place / "source").write_text("Nguyen Van A")
        (home / "store" / "own").mkdir(parents=True)
        claim = new_file(home / "store" / "own" / "a.draft")
        print(flush=True)
        sys.stdin.read()

asyncio.run(work(Path(sys.argv[1])))
"""


@pytest.fixture
def at_home(config: Config, tmp_path: Path) -> Config:
    """The same database, another home for files."""
    return replace(config, home=tmp_path)


@contextlib.contextmanager
def _another_process(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", DIES, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline()
        yield process
        process.kill()


async def test_what_a_killed_process_received_goes_and_what_a_living_one_receives_stays(
    database: Database, at_home: Config
) -> None:
    uploads, own = at_home.path("uploads"), at_home.path(*FOLDER)
    with _another_process(at_home.home):
        async with working_folder(uploads) as ours:
            assert await sweep_files(database, at_home) == 0
    assert [len(list(folder.iterdir())) for folder in (uploads, own)] == [1, 1]
    assert await sweep_files(database, at_home) == 2
    assert [list(folder.iterdir()) for folder in (uploads, own)] == [[], []]
    assert not ours.exists()


class LostCommit:
    """A database that is lost at the second commit; `committed`: only its answer is."""

    def __init__(self, database: Database, *, committed: bool) -> None:
        self._database, self._committed, self._sessions = database, committed, 0

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        self._sessions += 1
        async with self._database.session() as session:
            yield session
            if self._sessions == 2 and not self._committed:
                raise DatabaseUnavailable
        if self._sessions == 2:
            raise DatabaseUnavailable


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_whose_answer_is_lost_leaves_the_file_to_the_sweep_which_asks_for_its_row(
    database: Database, at_home: Config, make: Make, committed: bool
) -> None:
    async with database.session() as session:
        startup = cast(Analyst, await make.caller(session, as_type=Analyst))
    (source := at_home.home / "source").write_bytes(b"a\n1\n")
    lost = cast(Database, LostCommit(database, committed=committed))
    with pytest.raises(DatabaseUnavailable):
        await adding.take_in(lost, Keys(at_home.home), at_home, name="t", source=source, by=startup, key=None)
    (file,) = at_home.path(*FOLDER).iterdir()
    assert await sweep_files(database, at_home) == int(not committed)
    assert file.exists() == committed


async def test_a_table_refused_after_it_was_written_leaves_no_file(
    database: Database, at_home: Config, make: Make
) -> None:
    async with database.session() as session:
        startup = cast(Analyst, await make.caller(session, as_type=Analyst))
    (source := at_home.home / "source").write_bytes(b"a\n1\n")
    small = replace(at_home, own_tables_max_bytes=1)
    with pytest.raises(NoRoom):
        await adding.take_in(database, Keys(small.home), small, name="t", source=source, by=startup, key=None)
    assert list(small.path(*FOLDER).iterdir()) == []


async def test_a_file_on_its_way_to_its_row_is_not_taken_for_one_without(
    database: Database, at_home: Config
) -> None:
    vault = adding.vault_of(at_home, Keys(at_home.home))
    stored = vault.put(new_id(), b"PAR1")
    assert await sweep_files(database, at_home) == 0
    stored.claim.release()
    assert await sweep_files(database, at_home) == 1


async def test_tables_go_once_their_organisation_is_suspended_for_good_and_not_before(
    database: Database, at_home: Config, make: Make
) -> None:
    (source := at_home.home / "source").write_bytes(b"a\n1\n")
    days = timedelta(days=at_home.own_tables_suspended_days)
    startups = []
    for ago in (days, days - timedelta(hours=1)):
        async with database.session() as session:
            startup = cast(Analyst, await make.caller(session, as_type=Analyst))
        startups.append(startup.organisation_id)
        await adding.take_in(database, Keys(at_home.home), at_home, name="ma", source=source, by=startup, key=None)
        async with database.session() as session:
            since = {"at": utcnow() - ago, "id": startup.organisation_id}
            await session.execute(text("update organisation set suspended_at = :at where id = :id"), since)
    assert [await sweep_abandoned(database, at_home) for _ in range(2)] == [1, 0]
    assert await sweep_files(database, at_home) == 1
    gone, stays = startups
    async with database.session() as session:
        left = [(await tables(session, organisation_id=each)).items for each in startups]
        told = text("select body ->> 'name', parties from event where name = 'table:expire'")
        assert [tuple(row) for row in await session.execute(told)] == [("ma", [gone])]
    assert [len(each) for each in left] == [0, 1]
    assert stays != gone
