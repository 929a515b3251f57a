"""What a witness remembers: of each log the newest checkpoint that it cosigned, a file each. Nothing else counts.

A file is replaced whole: written beside, fsynced, renamed, and the folder fsynced, before any answer goes out.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from marketplace.verifier.note import Head, VerifierKey, open_checkpoint
from marketplace.verifier.refusal import Refused

KEY = "witness-key"
LOCK = "lock"


class MemoryTaken(Exception):
    """Another witness runs on this folder: two that do not know of one another could sign a fork."""


class MemoryDamaged(Exception):
    """A file is not what this witness wrote: it cannot know what it cosigned last, so it signs nothing."""


class Memory:
    """One folder, held until the process ends. Raises MemoryTaken, OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            os.close(self._lock)
            raise MemoryTaken(folder) from taken

    def release(self) -> None:
        """For another witness to take."""
        os.close(self._lock)

    def signing_key(self) -> Ed25519PrivateKey:
        """The witness's own, made at first use."""
        path = self._folder / KEY
        if not path.exists():
            fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
            self._replace(path, fresh)
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())

    def note(self, origin_sha256: str) -> str | None:
        """The cosigned checkpoint of the log whose origin has this hash (hex); None if there was none yet."""
        try:
            return (self._folder / origin_sha256).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def head(self, log: VerifierKey, witness: VerifierKey) -> Head | None:
        """What was cosigned last of a log. Raises MemoryDamaged."""
        note = self.note(origin_hash(log.name))
        try:
            return None if note is None else open_checkpoint(note, log, (witness,))
        except Refused as damaged:
            raise MemoryDamaged(f"{origin_hash(log.name)}: {damaged}") from damaged

    def remember(self, log: VerifierKey, note: str) -> None:
        """Durable when this returns."""
        self._replace(self._folder / origin_hash(log.name), note.encode())

    def _replace(self, path: Path, data: bytes) -> None:
        draft = path.with_name(f".{path.name}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def origin_hash(origin: str) -> str:
    """SHA-256 of the origin (hex): the log's name in paths, as tlog-witness has it."""
    return hashlib.sha256(origin.encode()).hexdigest()
