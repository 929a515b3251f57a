"""The log decided again: what a candidate loosens needs two people who signed exactly that."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from marketplace.audit import past
from marketplace.audit.facttree import grow
from marketplace.audit.past import past_decisions
from marketplace.audit.sealing import seal
from marketplace.cli import main, replay
from marketplace.db.base import new_id, utcnow
from marketplace.db.together import perform
from policies.sources import FOLDER
from policies.wasm import WasmEngine
from tests.marketplace.audit.conftest import Log
from tests.policies.candidates import candidate
from tests.policies.cases import ALL, question
from tests.policies.conftest import program

DENIED = "version: groups smaller than the floor"


@pytest.fixture(autouse=True)
def opa() -> None:
    """The commands build with it: skip without, fail in CI."""
    program("opa")


@pytest.fixture
async def decided(log: Log, monkeypatch: pytest.MonkeyPatch) -> Log:
    """A log of seven decisions, the newest a denial, in the place where the command looks."""
    monkeypatch.setenv("SANDULIEU_HOME", str(log.config.home))
    monkeypatch.setattr(replay, "Keys", lambda _: log.keys)
    names = [name for name, (_, case) in ALL.items() if case.allow][:6]
    engine = WasmEngine()
    for name in (*names, DENIED):
        base, case = ALL[name]
        asked = question(base, case.change)
        row = seal(
            log.keys,
            decision_id=new_id(),
            tree=grow(asked, "select 1"),
            decision=await engine.decide(asked),
        )
        async with log.database.session() as session:
            await perform(session, row.stored)
    await engine.close()
    return log


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main.main, ["policies", *arguments])


class Person:
    """Somebody who may approve, with a key in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        key = Ed25519PrivateKey.generate()
        self.name, self.file = name, folder / f"{name}.pem"
        self.file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


async def test_every_decision_is_read_once_in_order_however_small_the_chunks(
    decided: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "CHUNK_DECISIONS", 2)
    until = utcnow() + timedelta(seconds=1)
    read = [each async for each in past_decisions(decided.database, decided.keys, since=None, until=until)]
    assert len({each.name for each in read}) == len(read) == 7
    assert [each.decision["allow"] for each in read] == [True] * 6 + [False]
    assert msgspec.json.decode(read[-1].question)["schema"] == "access/1"
    at = await decided.one("SELECT max(at) FROM decision")
    newest = [each async for each in past_decisions(decided.database, decided.keys, since=at, until=until)]
    assert newest[-1:] == read[-1:]
    assert [each async for each in past_decisions(decided.database, decided.keys, since=None, until=at)] == [
        each for each in read if each not in newest
    ]


async def test_the_same_policy_loosens_nothing_and_a_stricter_one_may_come(
    decided: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("replay", "--candidate", str(FOLDER), "--json") == 0
    (summary,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert summary["count"] == {
        "decisions": 7, "same": 7, "stricter": 0, "allowed": 0, "loosened": 0, "undecided": 0
    }  # fmt: skip
    stricter = candidate(tmp_path / "stricter", k_floor=1000)
    assert await run("replay", "--candidate", str(stricter)) == 0
    assert "6 chặt hơn / stricter" in capsys.readouterr().out


async def test_what_is_loosened_passes_only_with_two_people_who_signed_exactly_that(
    decided: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looser = str(candidate(tmp_path / "looser", k_floor=1, max_bytes=2**30))
    an, binh, other = (Person(tmp_path, name) for name in ("an", "binh", "other"))
    report, note, people = tmp_path / "report", tmp_path / "note", tmp_path / "people"
    until = utcnow().isoformat()
    approval = ("--approval", str(note), "--people", str(people))

    async def replayed(*more: str) -> int:
        return await run("replay", "--candidate", looser, "--until", until, "--json", *more)

    async def refused(*more: str) -> bool:
        capsys.readouterr()
        return await replayed(*more) == 1 and "nobody has approved that" in capsys.readouterr().err

    async def signed(person: Person) -> str:
        given = ("--key", str(person.file), "--name", person.name, "--approval", str(note))
        assert await run("approve", str(report), *given) == 0
        return capsys.readouterr().out.splitlines(keepends=True)[-1]

    assert await replayed() == 1
    told = capsys.readouterr()
    assert "loosens 7 decisions" in told.err
    report.write_text(told.out)
    *changes, summary = map(json.loads, told.out.splitlines())
    assert [change["kind"] for change in changes] == ["loosened"] * 6 + ["allowed"]
    assert changes[-1]["what"] == ["version.k_below_floor"]
    assert summary["count"]["loosened"] == 6

    people.write_text("# who may approve\n" + await signed(an))
    assert await refused(*approval), "one person"
    await signed(an)
    assert await refused(*approval), "one person twice"
    await signed(other)
    assert await refused(*approval), "somebody who may not"
    people.write_text(people.read_text() + await signed(binh))
    assert await replayed(*approval) == 0

    wider = str(candidate(tmp_path / "wider", k_floor=1, max_bytes=2**31))
    assert await run("replay", "--candidate", wider, "--until", until, *approval) == 1, "another candidate"
    until = (utcnow() - timedelta(days=1)).isoformat()
    assert await replayed(*approval) == 0, "nothing was loosened then"
    decided.tamper("DELETE FROM decision WHERE NOT allow")
    until = utcnow().isoformat()
    assert await refused(*approval), "not exactly these"


async def test_a_report_that_was_cut_cannot_be_signed(
    decided: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looser = candidate(tmp_path / "looser", k_floor=1)
    assert await run("replay", "--candidate", str(looser), "--json") == 1
    report = tmp_path / "report"
    report.write_text(capsys.readouterr().out.splitlines(keepends=True)[-1])
    person = Person(tmp_path, "an")
    given = ("--key", str(person.file), "--name", "an", "--approval", str(tmp_path / "note"))
    assert await run("approve", str(report), *given) == 1
    assert "are not those of its summary" in capsys.readouterr().err
    assert not (tmp_path / "note").exists()
