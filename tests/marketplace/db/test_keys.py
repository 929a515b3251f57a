"""Keys are made once, whoever asks first, and only their owner can read them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from marketplace.db.base import new_id
from marketplace.db.keys import Keys


def test_a_key_stays_what_it_was(tmp_path: Path) -> None:
    lineage, other = new_id(), new_id()
    first = Keys(tmp_path / "keys")
    again = Keys(tmp_path / "keys")
    assert first.lineage(lineage) == again.lineage(lineage)
    assert first.lineage(lineage) != first.lineage(other)
    assert first.salt_key() == again.salt_key()
    assert len(first.salt_key()) == len(first.lineage(lineage)) == 32
    signature = first.log_signing().sign(b"x")
    again.log_signing().public_key().verify(signature, b"x")


def test_nobody_else_can_read_a_key(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    keys.lineage(new_id())
    keys.log_signing()
    folder = tmp_path / "keys"
    assert folder.stat().st_mode & 0o077 == 0
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600, 0o600]


def test_many_at_once_get_the_same_key(tmp_path: Path) -> None:
    lineage = new_id()
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: Keys(tmp_path / "keys").lineage(lineage), range(64)))
    assert len(found) == 1
    assert [each.name for each in (tmp_path / "keys").iterdir()] == [f"lineage-{lineage}"]


def test_the_key_of_answers_is_read_once_however_many_queries_run(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    first = keys.answer_seal()
    (tmp_path / "answer-seal").unlink()
    assert keys.answer_seal() == first
    assert not (tmp_path / "answer-seal").exists()
