"""What outside witnesses remember of this log: each one's newest head, kept in a folder of the home.

A head is signed by our own key, so no witness can make one up. A database that does not hold it was restored from
an older backup, or changed, even where the published log was put back with it and agrees.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import urllib.request

from marketplace.config import Config
from marketplace.verifier.note import Head, VerifierKey, open_checkpoint
from marketplace.verifier.refusal import Refused

NOTE_BYTES = 64 * 1024
FOLDER = "remembered"
_log = logging.getLogger(__name__)


def remembered_heads(config: Config, key: VerifierKey) -> tuple[Head, ...]:
    """One a witness that has shown one; none of an earlier origin or key of this log."""
    folder = config.path(FOLDER)
    kept = (_opened(file.read_bytes(), key) for file in folder.glob("*.note")) if folder.is_dir() else ()
    return tuple(head for head in kept if head is not None)


def ask(config: Config, witness: VerifierKey, url: str, key: VerifierKey) -> None:
    """Keep the newest head that this witness shows. One that is silent or shows no head of ours changes nothing.

    Raises OSError: it could not be kept."""
    origin = hashlib.sha256(key.name.encode()).hexdigest()
    note = _fetched(f"{url}/{origin}/checkpoint", config.witness_timeout_ms / 1_000)
    head = None if note is None else _opened(note, key)
    if note is None or head is None:
        return
    file = config.path(FOLDER, hashlib.sha256(str(witness).encode()).hexdigest() + ".note")
    before = _opened(file.read_bytes(), key) if file.exists() else None
    if before is None or before.size <= head.size:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.draft")
        draft.write_bytes(note)
        draft.replace(file)


def _opened(note: bytes, key: VerifierKey) -> Head | None:
    try:
        return open_checkpoint(note.decode(), key)
    except (Refused, UnicodeDecodeError):
        return None


def _fetched(url: str, timeout_s: float) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310
            return bytes(answer.read(NOTE_BYTES))
    except (OSError, ValueError, http.client.HTTPException) as silent:
        _log.info("a witness shows no head: %s", silent)
        return None
