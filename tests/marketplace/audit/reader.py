"""A reader of a published log, written from C2SP tlog-tiles, tlog-checkpoint and RFC 6962: nothing of ours."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def read_checkpoint(note: str, verifier_key: str) -> tuple[int, bytes]:
    """Size and root, once the signature holds."""
    name, _, encoded = verifier_key.split("+", 2)
    text, _, signature_line = note.rpartition("\n\n")
    signature = base64.b64decode(signature_line.strip().split(" ")[2])[4:]
    Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:]).verify(signature, f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert origin == name
    return int(size), base64.b64decode(root)


def read_log(folder: Path, verifier_key: str) -> list[bytes]:
    """All leaves below the shown checkpoint, once every tile of every level and the root are what they give."""
    size, root = read_checkpoint((folder / "checkpoint").read_text(), verifier_key)
    leaves = [leaf for bundle in _files(folder, "entries", size) for leaf in _entries(bundle)]
    assert len(leaves) == size
    hashes, level = [sha256(b"\x00", leaf) for leaf in leaves], 0
    while hashes:
        assert b"".join(_files(folder, str(level), len(hashes))) == b"".join(hashes), f"level {level}"
        hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - len(hashes) % 256, 256)]
        level += 1
    assert root_of([sha256(b"\x00", leaf) for leaf in leaves]) == root
    return leaves


def root_of(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256()
    half = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\x01", root_of(hashes[:half]), root_of(hashes[half:]))


def _files(folder: Path, level: str, count: int) -> list[bytes]:
    full, part = divmod(count, 256)
    names = [f"{index:03}" for index in range(full)] + ([f"{full:03}.p/{part}"] if part else [])
    return [(folder / "tile" / level / name).read_bytes() for name in names]


def _entries(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found
