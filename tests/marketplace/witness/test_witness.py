"""A witness as its own process: it cosigns what continues the log, and nothing that does not."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.audit.note import sign_checkpoint
from marketplace.verifier.note import open_checkpoint
from marketplace.verifier.refusal import Refused
from tests.marketplace.verifier.material import ORIGIN, Made, receipt_of
from tests.marketplace.verifier.outside import run_all
from tests.marketplace.witness.running import Running, begin, request, witness

PATH = f"/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


@pytest.fixture(scope="module")
def log() -> Made:
    made = Made()
    for _ in range(40):
        made.add()
    return made


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory"


@pytest.fixture
def running(memory: Path, log: Made) -> Iterator[Running]:
    with witness(memory, log.key) as started:
        yield started


def test_what_continues_the_log_is_cosigned(running: Running, log: Made) -> None:
    assert running.get(PATH)[0] == 404
    for old, size in ((0, 7), (7, 8), (8, 8), (8, 40)):
        status, line, _ = running.post(request(log, old, size))
        assert status == 200, line
        assert open_checkpoint(log.checkpoint(size) + line, log.key, (running.key,)).size == size
    status, note, _ = running.get(PATH)
    assert (status, open_checkpoint(note, log.key, (running.key,)).size) == (200, 40)


def test_two_parties_shown_a_forked_log_cannot_both_have_the_witness(running: Running, log: Made) -> None:
    other = Made(signer=log.signer)
    for _ in range(40):
        other.add()
    assert running.post(request(log, 0, 20))[0] == 200
    assert running.post(request(other, 20, 30))[0] == 422
    assert running.post(request(other, 20, 20))[0] == 422
    assert running.post(request(other, 0, 20))[:2] == (409, "20\n")
    assert running.post(request(log, 20, 30))[0] == 200


def test_the_log_is_not_rolled_back(running: Running, log: Made) -> None:
    assert running.post(request(log, 0, 20))[0] == 200
    for old, size in ((0, 10), (10, 10), (10, 30), (0, 20)):
        assert running.post(request(log, old, size)) == (409, "20\n", "text/x.tlog.size")
    assert running.post(b"old 20\n\n" + log.checkpoint(10).encode())[0] == 400
    status, note, _ = running.get(PATH)
    assert (status, open_checkpoint(note, log.key).size) == (200, 20)


def test_who_signed_and_what_it_is_about_must_be_known(running: Running, log: Made) -> None:
    thief, stranger = Made(signer=Ed25519PrivateKey.generate()), log.checkpoint(5).replace(ORIGIN, "else.example")
    thief.add()
    spoilt = log.checkpoint(5).replace("\n5\n", "\n6\n").encode()
    good, nothing = request(log, 0, 5), sign_checkpoint(ORIGIN, log.signer, 0, log.root(1)).encode()
    answers = {
        request(thief, 0, 1): 403,
        b"old 0\n\n" + spoilt: 403,
        b"old 0\n\n" + stranger.encode(): 404,
        b"": 400,
        b"\xff": 400,
        good[4:]: 400,
        good.replace(b"old 0", b"old 00"): 400,
        good.replace(b"old 0", b"old -1"): 400,
        good.replace(b"old 0\n", b"old 0\nAAAA\n"): 400,
        good.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n"): 422,
        good.replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64): 400,
        good + b"x": 400,
        b"old 0\n\n" + nothing: 422,
        good.replace(b"\n\n", b"\n", 1): 400,
    }
    for body, status in answers.items():
        assert running.post(body)[0] == status, body[:80]
    assert running.post(b"x" * 70_000)[0] == 413
    assert running.post(good, path="/elsewhere")[0] == 404
    assert running.get("/elsewhere")[0] == 404
    assert running.get(PATH)[0] == 404, "nothing of that was remembered"
    assert running.post(good)[0] == 200


KILLED = """
import os
from marketplace.witness.memory import Memory
from pathlib import Path
{patch}
"""
AFTER_WRITE = """
remember = Memory.remember
def die(self, *given):
    remember(self, *given)
    os.kill(os.getpid(), 9)
Memory.remember = die
"""
BEFORE_RENAME = """
replace = Path.replace
def die(self, target):
    if self.name != ".witness-key":
        os.kill(os.getpid(), 9)
    return replace(self, target)
Path.replace = die
"""


@pytest.mark.parametrize(("patch", "remembers"), [(AFTER_WRITE, True), (BEFORE_RENAME, False)])
def test_killed_between_write_and_answer_it_still_knows_what_it_signed(
    memory: Path, log: Made, patch: str, remembers: bool
) -> None:
    with witness(memory, log.key) as first:
        assert first.post(request(log, 0, 10))[0] == 200
    with witness(memory, log.key, before=KILLED.format(patch=patch)) as dying:
        with pytest.raises((OSError, http.client.HTTPException)):
            dying.post(request(log, 10, 20))
        assert dying.process.wait(30) == -9
    fork = Made(signer=log.signer)
    for _ in range(30):
        fork.add()
    with witness(memory, log.key) as again:
        assert again.key == first.key
        assert again.post(request(fork, 10, 25))[0] == (409 if remembers else 422)
        assert again.post(request(log, 10, 20))[0] == (409 if remembers else 200)
        assert again.post(request(log, 20, 20))[0] == 200


def test_a_memory_that_is_not_its_own_signs_nothing(memory: Path, log: Made) -> None:
    with witness(memory, log.key) as running:
        assert running.post(request(log, 0, 20))[0] == 200
        (memory / PATH.split("/")[1]).write_text(log.checkpoint(10))
        assert running.post(request(log, 10, 15))[0] == 500
        with begin(memory, log.key) as second:
            assert second.wait(30) == 1
            assert second.stderr is not None
            assert "another witness runs" in second.stderr.read()


def test_a_verifier_that_asks_for_a_witness_wants_its_cosignature(
    running: Running, log: Made, tmp_path: Path
) -> None:
    receipt = json.loads(receipt_of(log))
    bare, cosigned = tmp_path / "bare", tmp_path / "cosigned"
    bare.write_text(json.dumps(receipt))
    note = receipt["log"]["checkpoint"]
    status, line, _ = running.post(f"old 0\n\n{note}".encode())
    assert status == 200
    receipt["log"]["checkpoint"] = note + line
    cosigned.write_text(json.dumps(receipt))
    asked = ["--key", log.key, "--witness", running.key, "--json"]
    without, with_it, key_wrong = run_all(
        [["receipt", bare, *asked], ["receipt", cosigned, *asked],
         ["receipt", cosigned, "--key", log.key, "--witness", log.key]]
    )  # fmt: skip
    assert (without.exit_code, without.codes) == (1, ["note.unsigned"])
    assert (with_it.exit_code, key_wrong.exit_code) == (0, 2)
    forged = note + line[:-10] + ("A" if line[-10] != "A" else "B") + line[-9:]
    with pytest.raises(Refused) as refused:
        open_checkpoint(forged, log.key, (running.key,))
    assert refused.value.code == "note.forged"
