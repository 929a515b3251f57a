"""What an owner sent for a join, at rest: encrypted under a key of its own, so that erasing the key erases it."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PIECE_BYTES = 1024 * 1024
_TAG_BYTES = 16


class SealBroken(Exception):
    """The file is not there, was cut or changed, or this is not its key."""


def seal_file(key: bytes, source: Path, target: Path) -> None:
    """Encrypt `source` into `target` (0600, synced). AES-256-GCM a piece; nonce: the piece's number, and whether
    it is the last, so that none can be left out, repeated or moved."""
    cipher = AESGCM(_own_key(key, target))
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as plain, os.fdopen(descriptor, "wb") as file:
        number, piece = 0, plain.read(PIECE_BYTES)
        while True:
            following = plain.read(PIECE_BYTES)
            file.write(cipher.encrypt(_nonce(number, last=not following), piece, None))
            if not following:
                break
            number, piece = number + 1, following
        file.flush()
        os.fsync(file.fileno())


def unseal_file(key: bytes, source: Path, target: Path) -> None:
    """Decrypt what `seal_file` wrote, into a new file (0600). Raises SealBroken, with nothing of it left."""
    cipher = AESGCM(_own_key(key, source))
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as plain, source.open("rb") as file:
            _unseal(cipher, file, plain)
    except (InvalidTag, OSError) as e:
        target.unlink(missing_ok=True)
        raise SealBroken(source.name) from e


def _unseal(cipher: AESGCM, file: BinaryIO, plain: BinaryIO) -> None:
    number, piece = 0, file.read(PIECE_BYTES + _TAG_BYTES)
    while True:
        following = file.read(PIECE_BYTES + _TAG_BYTES)
        plain.write(cipher.decrypt(_nonce(number, last=not following), piece, None))
        if not following:
            return
        number, piece = number + 1, following


def _own_key(key: bytes, file: Path) -> bytes:
    """One a file, because the numbers of the pieces begin at 0 in each."""
    return hmac.digest(key, b"sealed " + file.name.encode(), hashlib.sha256)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
