"""C2SP signed notes, Ed25519 (algorithm byte 0x01), and in one of them a checkpoint as C2SP tlog-checkpoint."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

ED25519 = b"\x01"
DASH = "\u2014"


class NoteRefused(ValueError):
    """The note or the key is malformed, or not signed by the key that was asked for."""


class Head(Struct, frozen=True):
    """What a checkpoint says: a log of this origin had this many leaves under this root (32 bytes)."""

    origin: str
    size: int
    root: bytes


class VerifierKey(Struct, frozen=True):
    """Whom to believe: the log's name and its Ed25519 public key (32 bytes)."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """4 bytes, as in each signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


def verifier_key(origin: str, key: Ed25519PrivateKey) -> VerifierKey:
    """The public half of the log's signing key."""
    return VerifierKey(origin, key.public_key().public_bytes_raw())


def parse_key(text: str) -> VerifierKey:
    """A verifier key from `name+hash+base64`. Raises NoteRefused."""
    name, hash_hex, raw = [*text.strip().split("+", 2), "", ""][:3]
    data = _base64(raw)
    if not name or data[:1] != ED25519 or len(data) != 33:
        raise NoteRefused("not an Ed25519 verifier key")
    key = VerifierKey(name, data[1:])
    if key.id.hex() != hash_hex:
        raise NoteRefused("the verifier key's own hash does not match")
    return key


def sign_checkpoint(origin: str, key: Ed25519PrivateKey, size: int, root: bytes) -> str:
    """The signed note: origin, size, root, blank line, signature."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return f"{text}\n{signature_line(text, origin, key)}"


def signature_line(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """What this key adds below a note's text (which ends in a newline) and its blank line."""
    signature = verifier_key(name, key).id + key.sign(text.encode())
    return f"{DASH} {name} {base64.b64encode(signature).decode()}\n"


def open_checkpoint(note: str, key: VerifierKey) -> Head:
    """What the note says, once `key` is seen to have signed it. Raises NoteRefused."""
    text, signers = open_note(note, (key,))
    if not signers:
        raise NoteRefused("the key has not signed this note")
    return _head(text, key)


def open_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, tuple[VerifierKey, ...]]:
    """The note's text, and those of `keys` that signed it. Raises NoteRefused for what is no note."""
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    if not signatures.endswith("\n"):
        raise NoteRefused("the note does not end in a signature line")
    # Every line is looked at for every key: each must be well-formed, whoever has signed before it.
    signed = [(key, _signed(line, text, key)) for key in keys for line in signatures[:-1].split("\n")]
    return text, tuple(dict.fromkeys(key for key, has in signed if has))


def _signed(line: str, text: str, key: VerifierKey) -> bool:
    dash, name, raw = [*line.split(" "), "", ""][:3]
    if dash != DASH or line.count(" ") != 2:
        raise NoteRefused("a signature line is malformed")
    data = _base64(raw)
    if name != key.name or data[:4] != key.id:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(data[4:], text.encode())
    except InvalidSignature:
        return False
    return True


def _head(text: str, key: VerifierKey) -> Head:
    origin, size, root = [*text.split("\n"), "", ""][:3]
    if origin != key.name or not size.isascii() or not size.isdecimal() or str(int(size)) != size:
        raise NoteRefused("the checkpoint's origin or size is not the log's")
    hash_ = _base64(root)
    if len(hash_) != 32:
        raise NoteRefused("the checkpoint's root is not 32 bytes")
    return Head(origin, int(size), hash_)


def _base64(text: str) -> bytes:
    # Several spellings decode to the same bytes; only the canonical one is taken, so that no changed byte passes.
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise NoteRefused("not base64") from e
    if base64.b64encode(data).decode() != text:
        raise NoteRefused("not canonical base64")
    return data
