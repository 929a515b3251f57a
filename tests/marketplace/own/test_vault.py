"""Own tables at rest: no cell in the clear, no table without both its file and the home's key."""

from __future__ import annotations

import os
import resource
import secrets
from pathlib import Path

import pytest

from marketplace.db.base import new_id
from marketplace.own.vault import TableGone, Vault

BODY = b"PAR1 Nguyen Van A " * 100


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "own", secrets.token_bytes(32))


def test_what_was_put_is_read_and_cannot_be_changed_where_it_is_read(vault: Vault) -> None:
    table_id = new_id()
    wrapped = vault.put(table_id, BODY).wrapped_key
    with vault.opened(table_id, wrapped) as path:
        assert path.read_bytes() == BODY
        handle = os.open(path, os.O_RDWR)
        with pytest.raises(PermissionError):
            os.write(handle, b"x")
        os.close(handle)
    assert not path.exists()


def test_neither_the_file_nor_the_row_tells_a_cell(vault: Vault) -> None:
    wrapped = vault.put(new_id(), BODY).wrapped_key
    (file,) = vault.folder.iterdir()
    assert b"Nguyen" not in file.read_bytes()
    assert (file.stat().st_mode & 0o777, vault.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(wrapped) == 12 + 32 + 16, "nonce, the file's key encrypted, tag"


def test_a_file_removed_changed_swapped_or_of_another_home_opens_no_table(vault: Vault) -> None:
    one, two = new_id(), new_id()
    key_of_one, key_of_two = (vault.put(each, BODY).wrapped_key for each in (one, two))
    elsewhere = Vault(vault.folder, secrets.token_bytes(32))
    for held, table_id, wrapped in ((elsewhere, one, key_of_one), (vault, one, key_of_two), (vault, one, b"")):
        with pytest.raises(TableGone), held.opened(table_id, wrapped):
            pass
    (vault.folder / f"{two}.sealed").replace(vault.folder / f"{one}.sealed")
    for table_id, wrapped in ((one, key_of_one), (one, key_of_two), (two, key_of_two)):
        with pytest.raises(TableGone), vault.opened(table_id, wrapped):
            pass
    vault.drop(one)
    vault.drop(one)
    assert list(vault.folder.iterdir()) == []


def test_a_disk_that_is_full_leaves_no_draft(vault: Vault) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BODY) // 2, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            vault.put(new_id(), BODY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(vault.folder.iterdir()) == []
