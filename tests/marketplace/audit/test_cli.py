"""`sandulieu audit`: what it prints, and that its exit codes are 0 ok, 1 refused, 2 usage."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from pathlib import Path
from uuid import uuid4

import pytest

from marketplace.audit.actions import record
from marketplace.audit.errors import NoUses, PublishedAway
from marketplace.audit.receipt import encode
from marketplace.cli import audit_home
from marketplace.cli.main import parser
from marketplace.db import engine
from marketplace.errors import Problem
from marketplace.sources import bucket
from marketplace.verifier.note import open_checkpoint, parse_key
from marketplace.verifier.tree import verify_consistency, verify_inclusion
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.test_receipt import receipt_of


def run(*arguments: str) -> int:
    chosen = parser(["audit"]).parse_args(["audit", *arguments])
    code: int = chosen.func(chosen)
    return code


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No database, no network: whoever tries fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("verify went out")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(engine, "database_url", refuse)
    monkeypatch.setattr(audit_home, "load", refuse)


@pytest.fixture
async def receipt_file(log: Log, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    path.write_bytes(encode(await receipt_of(log)))
    return path


@pytest.fixture
def at_home(log: Log, monkeypatch: pytest.MonkeyPatch) -> Log:
    """The command finds this log: its database, and its keys in the place where a home has them."""
    monkeypatch.setenv("SANDULIEU_HOME", str(log.config.home))
    monkeypatch.setattr(audit_home, "Keys", lambda _: log.keys)
    return log


def test_a_receipt_verifies_offline_with_a_key_file_or_a_key(
    log: Log, receipt_file: Path, tmp_path: Path, offline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = tmp_path / "log.vkey"
    key_file.write_text(f"{log.key}\n")
    for key in (str(key_file), str(log.key)):
        assert run("verify", str(receipt_file), "--key", key) == 0
    assert run("verify", str(receipt_file), "--key", str(key_file), "--json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["ok"] is True
    assert {check["name"] for check in told["checks"]} >= {"form", "signature", "inclusion", "event", "fields"}


def test_a_changed_receipt_is_refused_in_both_languages(
    log: Log, receipt_file: Path, offline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = receipt_file.read_bytes().replace(b'"price_vnd":1234', b'"price_vnd":1', 1)
    receipt_file.write_bytes(changed)
    assert run("verify", str(receipt_file), "--key", str(log.key)) == 1
    said = capsys.readouterr().err
    assert "Trường price_vnd khác với sự kiện đã ghi." in said
    assert "The field price_vnd differs from the logged event." in said
    assert "Do not trust this" in said
    assert run("verify", str(receipt_file), "--key", str(log.key), "--json") == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


@pytest.mark.parametrize("key", ["nonsense", "a+b+c", ""])
def test_a_key_that_is_none_is_wrong_usage(receipt_file: Path, offline: None, key: str) -> None:
    assert run("verify", str(receipt_file), "--key", key) == 2


def test_no_key_or_no_file_is_wrong_usage(log: Log, receipt_file: Path, offline: None) -> None:
    assert run("verify", str(receipt_file)) == 2
    assert run("verify", str(receipt_file.parent / "absent.json"), "--key", str(log.key)) == 2


async def test_the_newest_checkpoint_is_printed_as_signed(
    at_home: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Problem, match=r"log\.empty"):
        await asyncio.to_thread(run, "checkpoint")
    await receipt_of(at_home)
    assert await asyncio.to_thread(run, "checkpoint") == 0
    assert open_checkpoint(capsys.readouterr().out, at_home.key).size == 6
    assert await asyncio.to_thread(run, "checkpoint", "--print-key") == 0
    assert parse_key(capsys.readouterr().out) == at_home.key


async def test_proofs_that_are_printed_verify(at_home: Log, capsys: pytest.CaptureFixture[str]) -> None:
    await receipt_of(at_home)
    async with at_home.database.session() as session:
        await record(session, "test:event")
    await at_home.sequence()
    roots = {n: await at_home.one("SELECT root FROM checkpoint WHERE size = :n", n=n) for n in (6, 7)}
    assert await asyncio.to_thread(run, "prove", "3") == 0
    proof = json.loads(capsys.readouterr().out)
    leaf = await at_home.one("SELECT hash FROM audit_node WHERE level = 0 AND index = 3")
    assert verify_inclusion(leaf, 3, 7, [bytes.fromhex(each) for each in proof["hashes"]], roots[7])
    assert await asyncio.to_thread(run, "prove", "--from-size", "6") == 0
    hashes = [bytes.fromhex(each) for each in json.loads(capsys.readouterr().out)["hashes"]]
    assert verify_consistency(6, 7, roots[6], roots[7], hashes)


async def test_a_proof_of_what_is_not_there_is_refused(at_home: Log) -> None:
    await receipt_of(at_home)
    for arguments in (["6"], ["0", "--size", "7"], ["--from-size", "0"]):
        with pytest.raises(Problem, match=r"log\.outside"):
            await asyncio.to_thread(run, "prove", *arguments)
    assert run("prove") == 2


async def test_the_log_of_this_home_is_checked_and_what_is_wrong_is_told(
    at_home: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    await receipt_of(at_home)
    assert await asyncio.to_thread(run, "verify") == 0
    at_home.tamper("UPDATE event SET price_vnd = 1 WHERE price_vnd = 1234")
    assert await asyncio.to_thread(run, "verify") == 1
    assert "đã bị sửa" in capsys.readouterr().err
    assert await asyncio.to_thread(run, "verify", "--json") == 1
    assert [each["code"] for each in json.loads(capsys.readouterr().out)["findings"]] == ["log.event_changed"]


async def test_a_kept_checkpoint_shows_that_the_log_was_cut(at_home: Log, tmp_path: Path) -> None:
    await receipt_of(at_home)
    kept = tmp_path / "kept"
    kept.write_text(await at_home.one("SELECT note FROM checkpoint"))
    for table in ("audit_leaf", "audit_node", "checkpoint", "event_salt", "event"):
        at_home.tamper(f"DELETE FROM {table}")
    assert await asyncio.to_thread(run, "verify") == 1
    shutil.rmtree(at_home.config.path("log"))
    assert await asyncio.to_thread(run, "verify") == 0
    assert await asyncio.to_thread(run, "verify", "--seen", str(kept)) == 1


async def test_a_store_that_is_away_is_told_and_not_traced(
    at_home: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "log.toml"
    described.write_text(
        'kind = "s3"\nendpoint = "http://127.0.0.1:1"\nbucket = "log"\nprefix = ""\n'
        'access_key_id = "a"\nsecret_access_key = "b"\n'
    )
    described.chmod(0o600)
    monkeypatch.setenv("SANDULIEU_LOG_STORE_FILE", str(described))
    monkeypatch.setattr(bucket, "PAUSE_S", 0)
    for arguments in (["check"], ["verify"], ["export", str(tmp_path / "public")]):
        with pytest.raises(PublishedAway):
            await asyncio.to_thread(run, *arguments)


async def test_an_exported_log_verifies_offline(at_home: Log, tmp_path: Path) -> None:
    await receipt_of(at_home)
    folder = tmp_path / "public"
    assert await asyncio.to_thread(run, "export", str(folder)) == 0
    assert run("verify", str(folder), "--key", str(folder / "key")) == 0
    (folder / "checkpoint").write_text("nothing\n")
    assert run("verify", str(folder), "--key", str(folder / "key")) == 1


async def test_exports_alone_show_whether_a_use_was_left_out(
    at_home: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset_id = uuid4()
    for n in range(3):
        async with at_home.database.session() as session:
            await record(session, "test:use", dataset_id=dataset_id, body={"n": n})
            await record(session, "test:use", dataset_id=uuid4(), body={"n": n})
    await at_home.sequence()
    folder = tmp_path / "public"
    assert await asyncio.to_thread(run, "export", str(folder), "--dataset", str(dataset_id), "--json") == 0
    events = Path(json.loads(capsys.readouterr().out)["events"])
    asked = ["verify", str(folder), "--key", str(at_home.key), "--dataset", str(events)]
    assert run(*asked) == 0
    key, first, second, third = (await asyncio.to_thread(events.read_text)).splitlines()
    for kept, said in (
        ([first, second], "A newest event is kept back: counter 2."),
        ([first, third], "The export leaves events out: counters 1."),
    ):
        await asyncio.to_thread(events.write_text, "\n".join([key, *kept]))
        assert run(*asked) == 1
        assert said in capsys.readouterr().err


async def test_an_export_for_a_dataset_that_the_log_does_not_know_is_refused_and_writes_no_events(
    at_home: Log, tmp_path: Path
) -> None:
    async with at_home.database.session() as session:
        await record(session, "test:use", dataset_id=uuid4(), body={"n": 1})
    await at_home.sequence()
    unknown = uuid4()
    with pytest.raises(NoUses) as refused:
        await asyncio.to_thread(run, "export", str(tmp_path / "public"), "--dataset", str(unknown))
    assert refused.value.params == {"dataset": str(unknown)}
    assert await asyncio.to_thread(lambda: list(tmp_path.glob("public/events-*"))) == []


def test_each_rotation_makes_the_next_key_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANDULIEU_HOME", str(tmp_path))
    assert [run("rotate"), run("rotate", "--json")] == [0, 0]
    assert capsys.readouterr().out.splitlines() == ["facts-1", '{"key_id":"2"}']
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"facts-1", "facts-2"}
