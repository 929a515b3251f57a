"""What an owner sent lies sealed: without its key it says nothing, and changed it opens no more."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from catalog.errors import PublicationRefused
from catalog.joint import sealed
from catalog.joint.contribution import erase
from catalog.joint.publish import publish_joint
from catalog.joint.sealed import SealBroken, seal_file, unseal_file
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.joint.halves import LEAD, PARTNER, Pair, clients, other_key, patients
from tests.catalog.plain import in_process

KEY = secrets.token_bytes(32)
PIECE = 64
CUT = PIECE + 16
"""A sealed piece."""


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "PIECE_BYTES", PIECE)


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5])
def test_what_was_sealed_comes_back(tmp_path: Path, length: int) -> None:
    content = secrets.token_bytes(length)
    (tmp_path / "plain").write_bytes(content)
    seal_file(KEY, tmp_path / "plain", tmp_path / "sealed")
    unseal_file(KEY, tmp_path / "sealed", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content
    assert (tmp_path / "sealed").stat().st_mode & 0o777 == 0o600
    assert length < 16 or content not in (tmp_path / "sealed").read_bytes()


@pytest.mark.parametrize("change", [
    lambda b: b[:CUT], lambda b: b[: 2 * CUT], lambda b: b[CUT:], lambda b: b[:CUT] + b, lambda b: b[:-1],
    lambda b: b[CUT : 2 * CUT] + b[:CUT] + b[2 * CUT :], lambda b: bytes([b[0] ^ 1]) + b[1:], lambda b: b"",
    lambda b: b + b"x",
])  # fmt: skip
def test_what_was_cut_moved_or_changed_does_not_open(tmp_path: Path, change: object) -> None:
    (tmp_path / "plain").write_bytes(secrets.token_bytes(2 * PIECE + 9))
    seal_file(KEY, tmp_path / "plain", tmp_path / "sealed")
    assert callable(change)
    (tmp_path / "sealed").write_bytes(change((tmp_path / "sealed").read_bytes()))
    with pytest.raises(SealBroken):
        unseal_file(KEY, tmp_path / "sealed", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_half_lies_sealed_and_private_and_opens_with_its_own_key_only(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    with in_process():
        lead, partner = pair.send(LEAD, patients(range(60))), pair.send(PARTNER, clients(range(60)))
        folder = pair.store.root / "contributions"
        files = sorted((folder / LEAD).iterdir())
        assert [f.name for f in files] == ["names.sealed", "persons.sealed"]
        assert (folder / LEAD).stat().st_mode & 0o777 == 0o700
        whole = b"".join(f.read_bytes() for f in files)
        assert "Huế".encode() not in whole
        assert not any(name in whole for name in pseudonymise([f"P{i:05d}" for i in range(60)]))
        assert not any((pair.store.root / "incoming").iterdir())
        for halves in ((other_key(lead), partner), (lead, other_key(partner))):
            with pytest.raises(PublicationRefused) as refused:
                publish_joint(*halves, purposes=("product.rnd",), store=pair.store, consents=None,
                              previous=None, limits=LIMITS)  # fmt: skip
            assert refused.value.code == "publication.contribution_gone"
        assert not any((pair.store.root / "incoming").iterdir())
    erase(pair.store, LEAD)
    assert sorted(p.name for p in folder.iterdir()) == [PARTNER]


def test_a_half_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    with in_process(), pytest.raises(PublicationRefused) as refused:
        pair.send(LEAD, [*patients(range(60)), *patients([7])])
    assert refused.value.code == "ingest.subject_twice"
    assert not (pair.store.root / "contributions" / LEAD).exists()
