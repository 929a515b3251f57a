"""C2SP signed notes, Ed25519, the checkpoints (tlog-checkpoint) and cosignatures (tlog-cosignature) in them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from marketplace.verifier.refusal import Refused
from marketplace.verifier.strict_json import base64_of

ED25519, COSIGNATURE = 0x01, 0x04
LAST_S = 253_402_300_799
"""The end of the year 9999, behind which no date is written."""
DASH = "\u2014"


@dataclass(frozen=True)
class VerifierKey:
    """Whom to believe: a name and an Ed25519 public key (32 bytes). kind: ED25519, a witness COSIGNATURE."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def id(self) -> bytes:
        """4 bytes, as in each signature line."""
        return hashlib.sha256(b"%b\n%c%b" % (self.name.encode(), self.kind, self.public)).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: a log of this origin had this many leaves under this root (32 bytes)."""

    origin: str
    size: int
    root: bytes


def parse_key(text: str, kind: int = ED25519) -> VerifierKey:
    """A verifier key from `name+hash+base64`. Raises Refused."""
    name, hash_hex, raw = [*text.strip().split("+", 2), "", ""][:3]
    data = base64_of(raw)
    if not _is_name(name) or data[:1] != bytes([kind]) or len(data) != 33:
        raise Refused("key.form")
    key = VerifierKey(name, data[1:], kind)
    if key.id.hex() != hash_hex:
        raise Refused("key.form")
    return key


def open_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, tuple[VerifierKey, ...]]:
    """The note's text, and those of `keys` that signed it. Raises Refused: no note, or a forged signature."""
    if any("\ud800" <= c <= "\udfff" for c in note):
        raise Refused("form.encoding")
    text, blank, signatures = note.rpartition("\n\n")
    text += "\n"
    if not blank or not signatures.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise Refused("note.form", "a text, a blank line, signature lines")
    signed = []
    for line in signatures[:-1].split("\n"):
        dash, name, raw = [*line.split(" "), "", ""][:3]
        data = base64_of(raw)
        if dash != DASH or line.count(" ") != 2 or not _is_name(name) or len(data) < 5:
            raise Refused("note.form", ascii(line)[:80])
        for key in keys:
            if (name, data[:4]) == (key.name, key.id):
                _require_signed(text.encode(), data[4:], key)
                signed.append(key)
    return text, tuple(dict.fromkeys(signed))


def open_checkpoint(note: str, key: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> Head:
    """What the note says, once `key` and each of `witnesses` are seen to have signed it. Raises Refused."""
    text, signers = open_note(note, (key, *witnesses))
    for each in (key, *witnesses):
        if each not in signers:
            raise Refused("note.unsigned", each.name)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or "" in lines or lines[0] != key.name:
        raise Refused("note.head", f"1 ({ascii(lines[0])[:80]})")
    root = base64_of(lines[2])
    if re.fullmatch("0|[1-9][0-9]{0,17}", lines[1]) is None or len(root) != 32:
        raise Refused("note.head", "2, 3")
    return Head(lines[0], int(lines[1]), root)


def cosigned_text(text: str, time_s: int) -> bytes:
    """What a witness signs of a checkpoint's text (C2SP tlog-cosignature, Ed25519)."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def cosigned_at(note: str, witness: VerifierKey) -> str:
    """The newest instant at which a witness signed this opened note, ISO 8601: an old head shows by it."""
    lines = (line.split(" ") for line in note.rpartition("\n\n")[2].splitlines())
    signed = (base64_of(line[2]) for line in lines if line[1] == witness.name)
    newest = max(int.from_bytes(each[4:12], "big") for each in signed if each[:4] == witness.id)
    return datetime.fromtimestamp(min(newest, LAST_S), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _require_signed(text: bytes, signature: bytes, key: VerifierKey) -> None:
    if key.kind == COSIGNATURE:
        time_s, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        text = cosigned_text(text.decode(), time_s)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)
    except (InvalidSignature, ValueError) as wrong:
        raise Refused("note.forged", key.name) from wrong


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)
