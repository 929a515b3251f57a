"""What a decision stood on lies encrypted: nobody without the key reads it, and no row passes for another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from marketplace.audit.facttree import SEED_BYTES, FactTree
from marketplace.audit.sealing import Decided, FactsUnreadable, Kept, seal, unseal
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from policies.decision import Decision

TREE = FactTree(
    b'{"schema":"access/1","wallet":{"available_vnd":5}}', "select tuổi from adult", bytes(range(SEED_BYTES))
)
DECISION = Decision(
    allow=True,
    reasons=(),
    policy_revision="r",
    engine="opa-wasm",
    facts_hash="ab",
    valid_until=1,
    obligations=None,
)


def sealed(keys: Keys) -> Decided:
    return seal(keys, decision_id=new_id(), tree=TREE, decision=DECISION).row


def opened(keys: Keys, row: Decided) -> Kept:
    return unseal(keys, decision_id=row.id, key_id=row.key_id, sealed=row.sealed)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def test_what_was_sealed_is_opened_with_the_key_of_this_home(keys: Keys, tmp_path: Path) -> None:
    row = sealed(keys)
    kept = opened(Keys(tmp_path / "keys"), row)
    assert kept.tree == TREE
    assert kept.tree.head == TREE.head
    assert msgspec.convert(kept.decision, Decision) == DECISION
    assert (row.allow, row.policy_revision, row.engine, row.question_schema) == (True, "r", "opa-wasm", "access/1")
    assert (tmp_path / "keys" / f"facts-{row.key_id}").stat().st_mode & 0o777 == 0o600


def test_nothing_of_it_is_legible_and_no_two_rows_are_alike(keys: Keys) -> None:
    first, second = sealed(keys), sealed(keys)
    assert not any(word in first.sealed for word in (b"select", b"available_vnd", b"wallet", TREE.seed))
    assert first.sealed[:12] != second.sealed[:12]


def test_a_row_opens_neither_with_another_key_nor_under_another_id_nor_with_a_byte_changed(
    keys: Keys, tmp_path: Path
) -> None:
    row = sealed(keys)
    with pytest.raises(FactsUnreadable):
        opened(keys, msgspec.structs.replace(row, id=new_id()))
    for at in (0, 12, len(row.sealed) - 1):
        changed = bytearray(row.sealed)
        changed[at] ^= 1
        with pytest.raises(FactsUnreadable):
            opened(keys, msgspec.structs.replace(row, sealed=bytes(changed)))
    with pytest.raises(FactsUnreadable):
        opened(keys, msgspec.structs.replace(row, sealed=b""))
    strange = Keys(tmp_path / "strange")
    strange.facts_key_id()
    with pytest.raises(FactsUnreadable):
        opened(strange, row)


def test_after_a_rotation_new_rows_have_the_new_key_and_old_ones_still_open(keys: Keys, tmp_path: Path) -> None:
    old = sealed(keys)
    assert Keys(tmp_path / "keys").rotate_facts() == "2"
    fresh = Keys(tmp_path / "keys")
    new = sealed(fresh)
    assert (old.key_id, new.key_id) == ("1", "2")
    assert opened(fresh, old).tree == opened(fresh, new).tree == TREE
    assert opened(keys, new).tree == TREE, "a process that started earlier reads what a later one wrote"
    with pytest.raises(FactsUnreadable):
        opened(fresh, msgspec.structs.replace(old, key_id="2"))


@pytest.mark.parametrize("key_id", ["3", "../salt", "", "x"])
def test_a_key_that_is_not_there_is_told_and_never_made(keys: Keys, tmp_path: Path, key_id: str) -> None:
    row = sealed(keys)
    with pytest.raises(FactsUnreadable):
        opened(keys, msgspec.structs.replace(row, key_id=key_id))
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["facts-1"]
