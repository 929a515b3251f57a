"""What goes wrong outside of a command is told in words, before it costs, and never as a traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from marketplace.cli.main import main
from sandbox.job import FailureCode, SandboxFailed
from tests import forked
from tests.market import PURPOSE, SMALL_SQL, Market

Done = subprocess.CompletedProcess[str]
ADULT = Path("examples/adult/manifest.yaml").resolve()


def _wrong(done: Done, code: int, *words: str) -> list[str]:
    """What is not as it should be: another code, words that are not told, a traceback."""
    wrong = [word for word in words if word not in done.stderr]
    if done.returncode != code or "Traceback" in done.stderr:
        wrong.append(f"{done.returncode}: {done.stderr}")
    return wrong


def _as_startup(market: Market, *arguments: str, **more: str) -> Done:
    environment = {"SANDULIEU_URL": market.url, "SANDULIEU_TOKEN": market.parties.tokens["startup"]}
    return forked.run(arguments, environment | more)


def test_an_answer_that_could_not_be_kept_is_not_paid_for(market: Market, tmp_path: Path) -> None:
    before = market.balance()
    run = ("query", "run", SMALL_SQL, "--agreement", market.agreements["adult"], "--purpose", PURPOSE)
    done = _as_startup(market, *run, "--output", str(tmp_path / "none" / "x.csv"))
    assert _wrong(done, 1, "none/x.csv", "cannot be read or written") == []
    assert market.balance() == before
    kept = tmp_path / "x.csv"
    assert _as_startup(market, *run, "--output", str(kept)).returncode == 0
    assert kept.read_text().startswith('"education"')


def test_a_download_that_could_not_be_kept_is_not_asked_for(market: Market, tmp_path: Path) -> None:
    asked = {"SANDULIEU_URL": "http://127.0.0.1:9", "SANDULIEU_TOKEN": "sdl_x"}
    done = forked.run(("audit", "download", str(tmp_path / "none" / "x.zip")), asked)
    assert _wrong(done, 1, "none/x.zip") == []


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("SANDULIEU_URL", "127.0.0.1:8080", "begins with http://"),
        ("SANDULIEU_TOKEN", "mã của tôi", "no access token"),
    ],
)
def test_an_address_or_token_that_is_none_is_named(market: Market, setting: str, value: str, word: str) -> None:
    assert _wrong(_as_startup(market, "query", "show", "x", **{setting: value}), 1, word) == []


def test_a_home_that_cannot_be_and_one_without_tables_are_told(tmp_path: Path) -> None:
    assert _wrong(forked.run(("db", "status"), {"SANDULIEU_HOME": "/proc/x"}), 1, "/proc/x") == []
    nowhere = {"SANDULIEU_HOME": str(tmp_path), "DATABASE_URL": "postgresql://a@127.0.0.1:9/none"}
    assert _wrong(forked.run(("ledger", "balance"), nowhere), 1, "PostgreSQL is down") == []


def test_a_port_that_is_taken_is_told_in_both_languages(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = forked.run(("serve", "--port", port), {"SANDULIEU_HOME": str(tmp_path)})
    assert _wrong(done, 3, f"Cổng {port} đang bận", f"Port {port} is busy") == []


def test_a_terminal_without_vietnamese_letters_gets_them_as_numbers() -> None:
    command = [sys.executable, "-m", "marketplace.cli.main", "--help"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert _wrong(done, 0) == []
    assert "\\u1ec7" in done.stdout


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("sandulieu 0.")


def test_a_receipt_that_is_not_all_open_is_not_called_wrong(market: Market, tmp_path: Path) -> None:
    """A party's edition opens its own facts: the decision cannot be computed again from it, and that is all."""
    run = ("query", "run", SMALL_SQL, "--agreement", market.agreements["adult"], "--purpose", PURPOSE, "--json")
    query = json.loads(_as_startup(market, *run).stdout)
    receipt, key = tmp_path / "receipt.json", tmp_path / "log.vkey"
    assert _as_startup(market, "query", "receipt", query["id"], "--output", str(receipt)).returncode == 0
    key.write_bytes(market.client(None).get("/api/v1/audit/key").body)
    verify = ("audit", "verify", str(receipt), "--key", str(key))
    assert forked.run(verify, {}).returncode == 0
    assert _wrong(forked.run((*verify, "--policy", str(tmp_path)), {}), 2, "does not make the receipt wrong") == []
    assert _wrong(forked.run((*verify, "--policy", str(tmp_path / "none")), {}), 2, "cannot be read") == []


def test_a_command_without_a_token_is_told_which_variable_to_set(market: Market) -> None:
    """Nobody at a shell sends headers."""
    done = _as_startup(market, "query", "show", str(uuid.uuid4()), SANDULIEU_TOKEN="")
    assert _wrong(done, 1, "auth.not_signed_in", "chưa được đặt", "export SANDULIEU_TOKEN") == []
    assert "Authorization" not in done.stderr


@pytest.mark.parametrize("code", ["sandbox.unavailable", "sandbox.deadline"])
def test_an_optimiser_without_a_jail_is_told_in_words(
    code: FailureCode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken_off(*_: object, **__: object) -> None:
        raise SandboxFailed(code, entered=False)

    monkeypatch.setattr("marketplace.cli.optimise.optimise", broken_off)
    file = tmp_path / "adult.csv"
    file.write_text("a\n1\n")
    assert main(["catalog", "optimise", str(file), str(ADULT)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("sandbox.deadline", "The file took too long"),
        ("sandbox.memory", "The file needed too much memory"),
        ("sandbox.too_many_bytes", "larger than allowed"),
        ("sandbox.worker_lost", "Reading the file was broken off"),
        ("sandbox.invalid_result", "Reading the file was broken off"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "detect", "init", "suite"])
def test_a_file_that_broke_its_jail_is_no_question_that_costs(
    verb: str, code: FailureCode, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    async def broken_off(_: object) -> None:
        raise SandboxFailed(code, entered=True)

    monkeypatch.setattr("sandbox.isolation.oneshot.open_jail", broken_off)
    file, made = tmp_path / "adult.csv", tmp_path / "made.yaml"
    file.write_text("a\n1\n")
    arguments = {"check": [str(ADULT)], "detect": [], "init": [str(made)], "suite": [str(ADULT)]}[verb]
    assert main(["catalog", verb, str(file), *arguments]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "quote" not in told


@pytest.mark.parametrize(
    "broken", [MemoryError(), RuntimeError("can't start new thread")], ids=["memory", "threads"]
)
def test_a_jail_that_could_not_be_opened_is_told_and_not_thrown(
    broken: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def opening(_: object) -> None:
        raise broken

    monkeypatch.setattr("sandbox.isolation.oneshot.open_jail", opening)
    file = tmp_path / "adult.csv"
    file.write_text("a\n1\n")
    assert main(["catalog", "detect", str(file)]) == 1
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "The service cannot answer just now" in told
