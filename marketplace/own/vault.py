"""Own tables at rest: each a file encrypted under a key of its own, which the row holds, wrapped under the home's.

AES-256-GCM, bound to the table's id. A copy of the files opens nothing, nor does one of the database.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from marketplace.claimed import Claim, new_file

KEY_BYTES = 32
NONCE_BYTES = 12
FOLDER = ("store", "own")
SUFFIX = ".sealed"
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class TableGone(Exception):
    """The file is not there, or not as it was written: the table was removed, or the home is damaged."""


class Stored(Struct, frozen=True, kw_only=True):
    """A file whose row is not there yet. `claim`: to be released once it is; till then no sweep takes it."""

    wrapped_key: bytes
    claim: Claim


class Vault(Struct, frozen=True):
    """The folder, and the home's key. Blocking."""

    folder: Path
    home_key: bytes

    def put(self, table_id: UUID, body: bytes) -> Stored:
        """Write the file, whole and on disk. Raises OSError: then there is none."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = AESGCM.generate_key(bit_length=KEY_BYTES * 8)
        draft = self.folder / f"{table_id}.draft"
        claim = new_file(draft)
        try:
            with draft.open("r+b") as file:
                file.write(_encrypted(key, body, table_id))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self._path(table_id))
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return Stored(wrapped_key=_encrypted(self.home_key, key, table_id), claim=claim)

    def drop(self, table_id: UUID) -> None:
        """Remove the file; again is harmless."""
        self._path(table_id).unlink(missing_ok=True)

    @contextmanager
    def opened(self, table_id: UUID, wrapped_key: bytes) -> Iterator[Path]:
        """The table in the clear, in memory only and unchangeable, as a path of this process. Raises TableGone."""
        try:
            key = _decrypted(self.home_key, wrapped_key, table_id)
            body = _decrypted(key, self._path(table_id).read_bytes(), table_id)
        except (OSError, InvalidTag, ValueError) as gone:
            raise TableGone from gone
        descriptor = os.memfd_create("table", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(body)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)

    def _path(self, table_id: UUID) -> Path:
        return self.folder / f"{table_id}{SUFFIX}"


def _encrypted(key: bytes, body: bytes, table_id: UUID) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, body, table_id.bytes)


def _decrypted(key: bytes, sealed: bytes, table_id: UUID) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], table_id.bytes)
