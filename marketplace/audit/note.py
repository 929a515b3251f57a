"""Signs C2SP notes with Ed25519, and in them checkpoints as in tlog-checkpoint."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.verifier.note import DASH, VerifierKey


def verifier_key(origin: str, key: Ed25519PrivateKey) -> VerifierKey:
    """The public half of the log's signing key."""
    return VerifierKey(origin, key.public_key().public_bytes_raw())


def sign_checkpoint(origin: str, key: Ed25519PrivateKey, size: int, root: bytes) -> str:
    """The signed note: origin, size, root, blank line, signature."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return f"{text}\n{signature_line(text, origin, key)}"


def signature_line(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """What this key adds below a note's text (which ends in a newline) and its blank line."""
    signature = verifier_key(name, key).id + key.sign(text.encode())
    return f"{DASH} {name} {base64.b64encode(signature).decode()}\n"
