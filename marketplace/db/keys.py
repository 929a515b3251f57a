"""Keys at rest: files in home/keys, mode 0600, made at first use; never in the database, never in a jail."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

KEY_BYTES = 32


class Keys:
    """The keys below one folder. Raises OSError where the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lineage(self, lineage_id: UUID) -> bytes:
        """HMAC key (32 bytes) under which a lineage's subject keys become pseudonyms."""
        return self._key(f"lineage-{lineage_id}", secrets.token_bytes(KEY_BYTES))

    def salt_key(self) -> bytes:
        """Key (32 bytes) from which salts that must come out the same again are derived."""
        return self._key("salt", secrets.token_bytes(KEY_BYTES))

    def log_signing(self) -> Ed25519PrivateKey:
        """The key that signs the log's checkpoints."""
        fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return Ed25519PrivateKey.from_private_bytes(self._key("log-signing", fresh))

    def _key(self, name: str, fresh: bytes) -> bytes:
        """The file's bytes; if there is none, `fresh` becomes it, whole and once, whoever else tries."""
        path = self._folder / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return path.read_bytes()
        finally:
            draft.unlink()
        return fresh
