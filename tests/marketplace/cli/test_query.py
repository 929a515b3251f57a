"""`sandulieu query run` as somebody at a terminal meets it: the price, the question, the table, the caret."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import uuid
from pathlib import Path

from pyarrow import parquet

from marketplace.cli.terminal_table import CELL_COLUMNS, ROWS, table
from tests.market import PURPOSE, SMALL_SQL, Market


def _command(market: Market, *arguments: str) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, "-m", "marketplace.cli.main", "query", *arguments,
               "--agreement", market.agreements["adult"], "--purpose", PURPOSE]  # fmt: skip
    return command, {
        **os.environ,
        "SANDULIEU_URL": market.url,
        "SANDULIEU_TOKEN": market.parties.tokens["startup"],
    }


def piped(market: Market, *arguments: str, sql: str = "") -> subprocess.CompletedProcess[str]:
    """Run as a script would: no terminal."""
    command, environment = _command(market, *arguments)
    return subprocess.run(
        command, env=environment, input=sql, capture_output=True, text=True, check=False, timeout=60
    )


def alone(market: Market, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A verb on a query that was asked."""
    command, environment = _command(market, *arguments)
    command = command[: command.index("--agreement")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def at_a_terminal(market: Market, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Run in a terminal of its own and type something: exit code, and all that is to be seen."""
    command, environment = _command(market, *arguments)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
        code = process.wait(timeout=60)
        os.close(theirs)
        seen = b""
        while chunk := _read(ours):
            seen += chunk
    finally:
        os.close(ours)
    return code, seen.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # nobody holds the other end any more
        return b""


def balance(market: Market) -> int:
    return int(market.balance()["available_vnd"])


def test_at_a_terminal_the_price_is_asked_about_and_the_answer_is_a_table(market: Market) -> None:
    before = balance(market)
    code, seen = at_a_terminal(market, "run", SMALL_SQL, typed="n\n")
    assert (code, balance(market)) == (1, before)
    assert "Run at this price? [y/N]" in seen
    code, seen = at_a_terminal(market, "run", SMALL_SQL, typed="y\n")
    assert code == 0
    assert balance(market) < before
    assert "education" in seen
    assert "───" in seen


def test_yes_asks_nothing_and_binary_forms_want_a_file(market: Market) -> None:
    code, seen = at_a_terminal(market, "run", SMALL_SQL, "--yes")
    assert code == 0
    assert "[y/N]" not in seen
    code, seen = at_a_terminal(market, "run", SMALL_SQL, "--yes", "--format", "parquet")
    assert (code, "--output FILE" in seen) == (2, True)


def test_the_answer_is_written_in_the_form_that_is_wanted(market: Market, tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    done = piped(market, "run", "-", "--format", "parquet", "--output", str(file), sql=SMALL_SQL)
    assert (done.returncode, done.stdout) == (0, "")
    found = parquet.read_table(file)
    shown = piped(market, "run", SMALL_SQL, "--format", "json")
    assert json.loads(shown.stdout) == found.to_pylist()
    assert " đ\n" in shown.stderr


def test_above_the_most_that_is_paid_nothing_runs(market: Market) -> None:
    before = balance(market)
    assert piped(market, "run", SMALL_SQL, "--max-vnd", "1").returncode == 1
    assert balance(market) == before


def test_sql_that_is_refused_is_shown_with_a_caret_under_the_word(market: Market) -> None:
    done = piped(market, "run", "select education,\n\tnvl(age, 0)\nfrom adult")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[:3] == ["422 sql.unknown_function", "  \tnvl(age, 0)", "  \t^^^"]
    assert any("coalesce" in line for line in lines)


def test_a_field_that_is_wrong_is_named(market: Market) -> None:
    done = piped(market, "quote", SMALL_SQL, "--agreement", "no-id")
    assert done.returncode == 1
    assert "  agreement_ids" in done.stderr


def test_a_table_lines_up_and_steers_no_terminal() -> None:
    rows: list[dict[str, object]] = [
        {"tên": "Đà Nẵng", "n": 5},
        {"tên": "\x1b[31mđỏ", "n": None},
        {"tên": "漢字", "n": 1234},
    ]
    assert table(["tên", "n"], rows).splitlines() == [
        "tên         n",
        "───────  ────",
        "Đà Nẵng     5",
        "�[31mđỏ",
        "漢字     1234",
    ]
    long = table(["x"], [{"x": "y" * 500}] * (ROWS + 2)).splitlines()
    assert len(long[2]) == CELL_COLUMNS
    assert long[-1].startswith("… 2 ")


def test_a_receipt_is_fetched_from_the_shell_in_both_forms(market: Market, tmp_path: Path) -> None:
    told = json.loads(piped(market, "run", SMALL_SQL, "--json").stdout)
    file = tmp_path / "receipt.json"
    fetched = alone(market, "receipt", told["id"], "--output", str(file))
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert told["id"] in file.read_text()
    proof = alone(market, "receipt", told["id"], "--proof")
    assert proof.stdout.startswith("c2sp.org/tlog-proof@v1\n")
    strange = alone(market, "receipt", str(uuid.UUID(int=7)))
    assert (strange.returncode, strange.stdout) == (1, "")
    assert strange.stderr
