"""The key that signs the bundle an OPA server loads: P-256, made once, mode 0600, never in the repository."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

ALGORITHM = "ES256"
PRIVATE = "policy-signing.pem"
PUBLIC = "policy-signing.pub.pem"
ID_DIGITS = 16


def signing_key(folder: Path) -> Path:
    """The private key's file in `folder`, made with its public half beside it if there is none."""
    path = folder / PRIVATE
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
    (folder / PUBLIC).write_bytes(_public_of(path))
    return path


def key_id(public: bytes) -> str:
    """First hexadecimal digits of the SHA-256 of a public key (PEM). Raises ValueError for what is no key."""
    der = load_pem_public_key(public).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:ID_DIGITS]


def _public_of(private: Path) -> bytes:
    key = load_pem_private_key(private.read_bytes(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
