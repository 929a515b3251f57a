"""A table or a query of PostgreSQL, over an account that may only read."""

from __future__ import annotations

import csv
import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from marketplace.cli.main import main
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.errors import Problem
from marketplace.sources.description import Postgres, read_description
from marketplace.sources.located import located
from marketplace.sources.postgres import fetch_postgres

PASSWORD = "password-of-the-test"
ROWS = [["name", "born"], ['Nguyễn "A", Huế', "1990-01-31"], ["Đỗ\nB", ""]]


class Place:
    """A schema of this test's own with a table, and roles that may read it, and write it."""

    def __init__(self, home: Path, admin: psycopg.Connection[tuple[object, ...]]) -> None:
        self.home, self.admin = home, admin
        name = f"t{secrets.token_hex(4)}"
        self.table, self.reader, self.writer = f"{name}.people", f"{name}_r", f"{name}_w"
        self._run("create schema {}", name)
        self._run("create table {}.people (name text, born date)", name)
        for row in ROWS[1:]:
            query = sql.SQL("insert into {}.people values (%s, nullif(%s, '')::date)").format(sql.Identifier(name))
            admin.execute(query, row)
        for role in (self.reader, self.writer):
            self._run("create role {} login", role)
            self._run("grant usage on schema {} to {}", name, role)
            self._run("grant select on {}.people to {}", name, role)
        self._run("grant insert on {}.people to {}", name, self.writer)
        self.name = name

    def _run(self, text: LiteralString, *names: str) -> None:
        self.admin.execute(sql.SQL(text).format(*map(sql.Identifier, names)))

    def source(self, role: str, **what: str) -> Postgres:
        return Postgres(
            dsn=f"{embedded.url(self.home, role)}&password={PASSWORD}", **(what or {"table": self.table})
        )


@pytest.fixture(scope="module")
def place(database: Database, config: Config) -> Iterator[Place]:
    with psycopg.connect(embedded.url(config.home, OWNER), autocommit=True) as admin:
        made = Place(config.home, admin)
        yield made
        for text, name in (
            ("drop schema {} cascade", made.name),
            ("drop role {}", made.reader),
            ("drop role {}", made.writer),
        ):
            admin.execute(sql.SQL(text).format(sql.Identifier(name)))


def fetched(
    source: Postgres, folder: Path, *, deadline_ms: int = 30_000, max_bytes: int = 10_000
) -> list[list[str]]:
    target = folder / f"{secrets.token_hex(4)}.csv"
    fetch_postgres(source, target, deadline_ms=deadline_ms, max_bytes=10_000)
    assert target.stat().st_mode & 0o777 == 0o600
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_table_and_a_query_come_as_they_are(place: Place, tmp_path: Path) -> None:
    assert fetched(place.source(place.reader), tmp_path) == ROWS
    query = f"with p as (select * from {place.table}) select name from p where born is null -- those without;"
    assert fetched(place.source(place.reader, query=query), tmp_path) == [["name"], ["Đỗ\nB"]]


REFUSED = {
    "two statements": ("select 1; drop table {table}", "source.not_one_query"),
    "no query": ("delete from {table}", "source.not_one_query"),
    "what breaks out": ("select 1) to stdout; drop table {table}; copy (select 1", "source.not_one_query"),
    "what writes on the way": (
        "with d as (delete from {table} returning 1) select 1",
        "source.database_refused",
    ),
    "no such table": ("select * from nowhere", "source.database_refused"),
    "one that sleeps": ("select pg_sleep(60)", "source.too_slow"),
    "one without end": ("select repeat('x', 1000) from generate_series(1, 100000)", "source.too_large"),
}


@pytest.mark.parametrize(("query", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_harmless_query_is_refused(place: Place, tmp_path: Path, query: str, code: str) -> None:
    source = place.source(place.reader, query=query.format(table=place.table))
    with pytest.raises(Problem) as refused:
        fetched(source, tmp_path, deadline_ms=500 if code == "source.too_slow" else 30_000)
    assert refused.value.code == code
    assert fetched(place.source(place.reader), tmp_path) == ROWS


def test_an_account_that_may_write_is_not_taken(place: Place, tmp_path: Path) -> None:
    for role in (place.writer, OWNER):
        with pytest.raises(Problem) as refused:
            fetched(place.source(role), tmp_path)
        assert refused.value.code == "source.account_may_write"


def test_a_query_over_what_the_account_may_write_is_not_taken_either(place: Place, tmp_path: Path) -> None:
    query = f"with p as (select * from {place.table}) select name from p, generate_series(1, 1) as s"
    assert len(fetched(place.source(place.reader, query=query), tmp_path)) == len(ROWS)
    with pytest.raises(Problem) as refused:
        fetched(place.source(place.writer, query=query), tmp_path)
    assert refused.value.code == "source.account_may_write"


def test_the_table_that_is_asked_about_is_the_one_that_is_read(place: Place, tmp_path: Path) -> None:
    """Names are taken as they are written, with their capitals; a right to one column is one to write."""
    place._run("create table {}.{} as select 1 as a", place.name, "People")
    place._run("grant select, update (a) on {}.{} to {}", place.name, "People", place.writer)
    place._run("grant select on {}.{} to {}", place.name, "People", place.reader)
    assert fetched(place.source(place.reader, table=f"{place.name}.People"), tmp_path) == [["a"], ["1"]]
    with pytest.raises(Problem) as refused:
        fetched(place.source(place.writer, table=f"{place.name}.People"), tmp_path)
    assert refused.value.code == "source.account_may_write"


@pytest.mark.parametrize(("rest", "code"), [
    ("@db.invalid/x", "not_secure"),
    ("@db.invalid/x?sslmode=require", "not_secure"),
    ("@/x?host=127.0.0.1,db.invalid", "not_secure"),
    ("@localhost/x?hostaddr=192.0.2.1", "not_secure"),
    ("@/x?service=nothing", "not_secure"),
    ("@db.invalid/x?sslmode=verify-full", "database_refused"),
    ("@db.invalid/x?sslmode=verify-ca", "database_refused"),
    ("@localhost:9/x", "database_refused"),
    ("@/x?host=/nowhere", "database_refused"),
])  # fmt: skip
def test_a_server_elsewhere_must_prove_who_it_is(tmp_path: Path, rest: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        fetched(Postgres(dsn=f"postgresql://u:{PASSWORD}{rest}", table="a"), tmp_path)
    assert refused.value.code == f"source.{code}"


def test_no_error_holds_the_password_or_the_address(place: Place, tmp_path: Path) -> None:
    for dsn in (place.source("nobody").dsn, f"postgresql://u:{PASSWORD}@127.0.0.1:9/x", f"what://{PASSWORD}"):
        with pytest.raises(Problem) as refused:
            fetched(Postgres(dsn=dsn, table="a"), tmp_path)
        assert refused.value.code == "source.database_refused"
        chain = f"{refused.value!r} {refused.value.params} {refused.value.__cause__!r}"
        assert PASSWORD not in chain
        assert refused.value.__suppress_context__
    assert PASSWORD not in repr(place.source("nobody"))


def test_a_description_with_a_secret_is_only_read_where_nobody_else_can(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "people.toml"
    dsn = place.source(place.reader).dsn
    file.write_text(f'kind = "postgresql"\ndsn = {json.dumps(dsn)}\ntable = "{place.table}"\n')
    file.chmod(0o644)
    with pytest.raises(Problem) as refused:
        read_description(file)
    assert refused.value.code == "source.open_to_others"
    file.chmod(0o600)
    with located(file, home=tmp_path / "home", deadline_ms=30_000) as folder:
        assert [p.name for p in folder.iterdir()] == ["rows.csv"]
        assert folder.parent.stat().st_mode & 0o777 == 0o700
        assert folder.parent.parent == tmp_path / "home" / "sources"
    assert not folder.exists()
    file.write_text(f'kind = "postgresql"\ndsn = "{PASSWORD}"\n')
    with pytest.raises(Problem) as refused:
        read_description(file)
    assert refused.value.code == "source.description_wrong"
    assert PASSWORD not in str(refused.value.params)


_HOLDS = """
import sys, time
from pathlib import Path
from marketplace.sources.located import located
with located(Path(sys.argv[1]), home=Path(sys.argv[2]), deadline_ms=30_000):
    print("there", flush=True)
    time.sleep(600)
"""


def test_however_the_process_ends_its_copy_goes(place: Place, tmp_path: Path) -> None:
    """At SIGTERM at once; after a SIGKILL with the next command. Who still runs keeps his."""
    file, home = tmp_path / "people.toml", tmp_path / "home"
    dsn = place.source(place.reader).dsn
    file.write_text(f'kind = "postgresql"\ndsn = {json.dumps(dsn)}\ntable = "{place.table}"\n')
    file.chmod(0o600)
    left = []
    for number in (signal.SIGTERM, signal.SIGKILL):
        command = [sys.executable, "-c", _HOLDS, str(file), str(home)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"there\n"
            with located(tmp_path / "rows.csv", home=home, deadline_ms=1):
                assert len(list(home.glob("sources/*/rows/rows.csv"))) == 1
            process.send_signal(number)
        left.append(len(list(home.glob("sources/*"))))
    assert left == [0, 1]
    with located(tmp_path / "rows.csv", home=home, deadline_ms=1):
        assert not list(home.glob("sources/*"))


def test_a_first_manifest_is_written_for_a_table_elsewhere(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "people.toml"
    dsn = place.source(place.reader).dsn
    query = "select i as code, i % 2 as sex from generate_series(1, 200) i"
    file.write_text(f'kind = "postgresql"\ndsn = {json.dumps(dsn)}\nquery = "{query}"\n')
    file.chmod(0o600)
    assert main(["catalog", "init", str(file)]) == 0
    text = (tmp_path / "manifest.yaml").read_text(encoding="utf-8")
    assert "slug: people" in text
    assert "name: sex" in text
    assert PASSWORD not in text + capsys.readouterr().out
    assert main(["catalog", "init", str(file)]) == 1
