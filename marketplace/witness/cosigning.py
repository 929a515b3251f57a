"""add-checkpoint of C2SP tlog-witness: what continues the checkpoint cosigned last is cosigned, once durable."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from marketplace.verifier.note import COSIGNATURE, DASH, Head, VerifierKey, cosigned_text, open_checkpoint
from marketplace.verifier.refusal import Refused
from marketplace.verifier.strict_json import base64_of, utf8
from marketplace.verifier.tree import EMPTY_ROOT, verify_consistency
from marketplace.witness.memory import Memory

SIZE = "text/x.tlog.size"
PLAIN = "text/plain; charset=utf-8"
MAX_PROOF_LINES = 63


class Answer(Struct, frozen=True):
    """What goes back over HTTP."""

    status: int
    body: str
    media_type: str = PLAIN


class Submitted(Struct, frozen=True):
    """A request, taken apart: the size that the log believes was cosigned last, the proof from there, the note."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def origin(self) -> str:
        return self.note.partition("\n")[0]


class Witness:
    """One name and key, the logs that it watches, and its memory. One request at a time passes the check."""

    def __init__(
        self, name: str, memory: Memory, logs: Sequence[VerifierKey], clock: Callable[[], float] = time.time
    ) -> None:
        self._signer = memory.signing_key()
        self.key = VerifierKey(name, self._signer.public_key().public_bytes_raw(), COSIGNATURE)
        self._memory, self._logs, self._clock = memory, {log.name: log for log in logs}, clock
        self._turn = threading.Lock()

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosignature, or why not. Raises MemoryDamaged, OSError: then nothing was signed."""
        try:
            submitted = _submitted(body)
            log = self._logs.get(submitted.origin)
            if log is None:
                return Answer(404, "the log is not known here\n")
            head = open_checkpoint(submitted.note, log)
        except Refused as refused:
            status = 403 if refused.code in ("note.unsigned", "note.forged") else 400
            return Answer(status, f"{refused}\n")
        if submitted.old_size > head.size:
            return Answer(400, "the old size is above the checkpoint's\n")
        with self._turn:
            return self._continued(submitted, log, head)

    def checkpoint(self, origin_sha256: str) -> Answer:
        """The newest cosigned checkpoint of a log, for monitors."""
        note = self._memory.note(origin_sha256)
        return Answer(404, "nothing was cosigned\n") if note is None else Answer(200, note)

    def _continued(self, submitted: Submitted, log: VerifierKey, head: Head) -> Answer:
        last = self._memory.head(log, self.key)
        size, root = (last.size, last.root) if last else (0, EMPTY_ROOT)
        if submitted.old_size != size:
            return Answer(409, f"{size}\n", SIZE)
        if not verify_consistency(size, head.size, root, head.root, submitted.proof):
            return Answer(422, f"it does not continue the checkpoint of {size} leaves\n")
        text = submitted.note.rpartition("\n\n")[0] + "\n"
        line = cosignature_line(text, self.key.name, self._signer, int(self._clock()))
        kept = [each for each in submitted.note.rpartition("\n\n")[2].splitlines() if _is_by(each, log)]
        self._memory.remember(log, "\n".join([text, *kept, line]))
        return Answer(200, line)


def cosignature_line(text: str, name: str, key: Ed25519PrivateKey, time_s: int) -> str:
    """A witness's line below a checkpoint's text (C2SP tlog-cosignature, Ed25519)."""
    public = VerifierKey(name, key.public_key().public_bytes_raw(), COSIGNATURE)
    signature = public.id + time_s.to_bytes(8, "big") + key.sign(cosigned_text(text, time_s))
    return f"{DASH} {name} {base64.b64encode(signature).decode()}\n"


def _submitted(body: bytes) -> Submitted:
    """Raises Refused."""
    head, blank, note = utf8(body).partition("\n\n")
    first, *proof = head.split("\n")
    old = re.fullmatch("old (0|[1-9][0-9]{0,17})", first, re.ASCII)
    if old is None or not blank or len(proof) > MAX_PROOF_LINES:
        raise Refused("note.form", "old SIZE, at most 63 hashes, a blank line, a checkpoint")
    hashes = tuple(base64_of(line) for line in proof)
    if any(len(each) != 32 for each in hashes):
        raise Refused("note.form", "a hash of the proof is not 32 bytes")
    return Submitted(int(old[1]), hashes, note)


def _is_by(line: str, log: VerifierKey) -> bool:
    return line.startswith(f"{DASH} {log.name} ") and base64_of(line.rpartition(" ")[2])[:4] == log.id
