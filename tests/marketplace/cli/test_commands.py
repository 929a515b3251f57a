"""The command line as a stranger meets it: what it prints, and how it ends."""

from __future__ import annotations

import argparse
import csv
import gc
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from uvicorn.lifespan.off import LifespanOff

from marketplace.cli.demo import unused_port
from marketplace.cli.main import CATALOG, COMMANDS, parser
from marketplace.cli.serve import ListeningServer, kept_to_the_end
from tests import forked
from tests.market import PURPOSE, SMALL_SQL, Market

Done = subprocess.CompletedProcess[str]


def _query(market: Market, *arguments: str, role: str = "startup") -> Done:
    """`sandulieu query …` as somebody with a token."""
    environment = {"SANDULIEU_URL": market.url, "SANDULIEU_TOKEN": market.parties.tokens[role]}
    return forked.run(("query", *arguments), environment)


def _under(market: Market, purpose: str = PURPOSE) -> tuple[str, ...]:
    return ("--agreement", market.agreements["adult"], "--purpose", purpose)


def test_a_quote_tells_price_bytes_and_columns(market: Market) -> None:
    done = _query(market, "quote", SMALL_SQL, *_under(market))
    assert done.returncode == 0, done.stderr
    assert "đ" in done.stdout
    assert "education" in done.stdout


def test_a_run_prints_the_answer_as_csv_and_the_price_beside_it(market: Market) -> None:
    done = _query(market, "run", SMALL_SQL, *_under(market))
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {"education", "n"} == set(rows[0])
    assert " ready " in done.stderr


def test_a_query_is_shown_again_and_written_to_a_file(market: Market, tmp_path: Path) -> None:
    query = json.loads(_query(market, "run", SMALL_SQL, *_under(market), "--json").stdout)
    file = tmp_path / "answer.json"
    done = _query(market, "show", query["id"], "--format", "json", "--output", str(file))
    assert done.returncode == 0, done.stderr
    assert len(json.loads(file.read_text())) == query["rows"]


@pytest.mark.parametrize(
    ("sql", "purpose", "code"), [("selec", PURPOSE, "422 sql."), (SMALL_SQL, "x", "403 query.denied")]
)
def test_a_refusal_says_what_why_and_what_next_and_ends_with_1(
    market: Market, sql: str, purpose: str, code: str
) -> None:
    done = _query(market, "run", sql, *_under(market, purpose))
    assert done.returncode == 1
    assert done.stderr.startswith(code)
    assert len(done.stderr.splitlines()) >= 3


def test_a_service_that_is_not_there_is_told_in_both_languages() -> None:
    done = forked.run(("query", "show", "x"), {"SANDULIEU_URL": "http://127.0.0.1:9"})
    assert done.returncode == 1
    assert "http://127.0.0.1:9" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_what_is_wrong_with_a_field_is_told_with_its_name(market: Market) -> None:
    done = market.command("invoices", "close", "--period", "tháng mười")
    assert done.returncode == 1
    assert "  period:" in done.stderr.splitlines()
    assert "tháng mười" in done.stderr


def test_the_ledger_balances_and_agrees(market: Market) -> None:
    done = market.command("ledger", "balance")
    assert done.returncode == 0
    assert "in balance" in done.stdout
    header, *_ = done.stdout.splitlines()
    assert " ".join(header.split()) == "tài khoản / account nợ / debits có / credits tạm giữ / held"
    assert "Balance = credits − debits" in done.stdout
    assert json.loads(market.command("ledger", "balance", "--json").stdout)["balanced"] is True
    assert market.command("ledger", "reconcile").returncode == 0


def test_a_month_is_closed_once_and_not_before_it_is_over(market: Market) -> None:
    first, again = (market.command("ledger", "close", "--period", "1999-12", "--json") for _ in range(2))
    assert (first.returncode, again.returncode) == (0, 0)
    told = json.loads(again.stdout)
    assert told == json.loads(first.stdout) | {"already": True}
    assert told["transfers"] == 0
    early = market.command("ledger", "close", "--period", "9999-11")
    assert (early.returncode, len(early.stderr.splitlines())) == (1, 2)
    assert market.command("ledger", "close", "--period", "1999-13").returncode == 2


def test_the_database_is_up_to_date(market: Market) -> None:
    done = market.command("db", "status", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["up_to_date"] is True


def test_what_is_listed_is_asked_of_the_service_that_is_named_else_read_here(market: Market) -> None:
    there = {"SANDULIEU_URL": market.url, "SANDULIEU_HOME": "/nonexistent"}
    for verb, asked in (("show", "adult"), ("search", "census")):
        here = market.command("catalog", verb, asked)
        told = forked.run(("catalog", verb, asked), there)
        assert (told.returncode, told.stdout) == (0, here.stdout), told.stderr
        assert "adult" in told.stdout
    absent = forked.run(("catalog", "show", "no_such"), there)
    assert absent.returncode == 1
    assert absent.stderr.startswith("404 ")
    nothing = forked.run(("catalog", "search", "zzzzzz"), there)
    assert (nothing.returncode, nothing.stdout, len(nothing.stderr.splitlines())) == (0, "", 2)


def test_usage_errors_end_with_2() -> None:
    assert forked.run(("nothing",), {}).returncode == 2


def test_a_wrong_setting_is_named_and_ends_with_2() -> None:
    done = forked.run(("db", "status"), {"SANDULIEU_PORT": "many"})
    assert done.returncode == 2
    assert "SANDULIEU_PORT" in done.stderr


def test_every_command_has_help_and_all_but_the_servers_have_json() -> None:
    assert all(name in parser().format_help() for name in COMMANDS)
    for verb in CATALOG:
        alone = [path for path, _ in _leaves("", parser(["catalog", verb])) if path.startswith(f" catalog {verb}")]
        assert alone == [path for path, _ in _leaves("", parser()) if path.startswith(f" catalog {verb}")] != []
    without = {path for path, verb in _leaves("", parser()) if "--json" not in verb.format_help()}
    assert without == {" serve", " worker"}


def test_what_needs_no_database_does_not_wait_for_its_libraries() -> None:
    commands = (
        *(["catalog", verb] for verb in ("init", "check", "detect", "suite")),
        ["audit", "verify"],
        ["doctor"],
    )
    program = (
        f"import sys; from marketplace.cli.main import parser; [parser(given) for given in {commands!r}];"
        "sys.exit(bool({'sqlalchemy', 'litestar'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def _leaves(path: str, here: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that can be run, with its parser."""
    groups = [a for a in here._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield path, here
    for name, child in (item for group in groups for item in group.choices.items()):
        yield from _leaves(f"{path} {name}", child)


async def _nothing(scope: object, receive: object, send: object) -> None:
    """An app that nobody asks."""


async def test_a_service_says_where_it_listens(capsys: pytest.CaptureFixture[str]) -> None:
    port = unused_port("127.0.0.1")
    server = ListeningServer(uvicorn.Config(_nothing, port=port, lifespan="off"))
    server.config.load()
    server.lifespan = LifespanOff(server.config)
    await server.startup()
    await server.shutdown()
    assert f"→ http://127.0.0.1:{port}" in capsys.readouterr().err


def test_garbage_is_looked_for_after_a_start_even_if_it_failed() -> None:
    with pytest.raises(OSError, match="no database"), kept_to_the_end():  # noqa: PT012
        assert not gc.isenabled()
        raise OSError("no database")
    assert gc.isenabled()
