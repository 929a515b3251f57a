"""An approval of what a policy loosens: a C2SP signed note that names exactly that, signed by two people."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from marketplace.audit.note import signature_line
from marketplace.verifier.note import VerifierKey, open_note, parse_key
from marketplace.verifier.refusal import Refused

PURPOSE = "sandulieu policy approval/1"
"""First line of the note, so that no signature for anything else passes for an approval."""
PEOPLE = 2


class Approved(Struct, frozen=True, kw_only=True):
    """What is approved: a candidate's revision, and all that it loosens, by number and hash."""

    candidate: str
    changes: int
    changes_sha256: str

    def text(self) -> str:
        return f"{PURPOSE}\n{self.candidate}\n{self.changes}\n{self.changes_sha256}\n"


def sign(approved: Approved, note: str | None, *, name: str, key: Ed25519PrivateKey) -> str:
    """The note with one signature more; None begins one. Raises Refused if it approves something else."""
    text = approved.text()
    if note is not None and not note.startswith(f"{text}\n"):
        raise Refused("note.form", "it approves something else")
    return (note or f"{text}\n") + signature_line(text, name, key)


def covers(note: str, approved: Approved, people: Sequence[VerifierKey]) -> bool:
    """Whether two different people, of those who may, signed exactly this. Raises Refused."""
    text, signers = open_note(note, people)
    names, keys = {signer.name for signer in signers}, {signer.public for signer in signers}
    return text == approved.text() and len(names) >= PEOPLE and len(keys) >= PEOPLE


def read_people(text: str) -> tuple[VerifierKey, ...]:
    """Who may approve: one verifier key a line, # begins a comment. Raises Refused."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(parse_key(line) for line in lines if line)
