"""Keys at rest: files in home/keys, mode 0600, made at first use; never in the database, never in a jail."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

KEY_BYTES = 32
FACTS = "facts-"


class KeyGone(Exception):
    """The key with this id is not in the folder: what was encrypted under it cannot be read."""


class Keys:
    """The keys below one folder. Raises OSError where the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._facts: dict[str, bytes] = {}
        self._newest_facts: str | None = None
        self._answer_seal: bytes | None = None
        self._quote_signing: Ed25519PrivateKey | None = None

    def lineage(self, lineage_id: UUID) -> bytes:
        """HMAC key (32 bytes) under which a lineage's subject keys become pseudonyms."""
        return self._key(f"lineage-{lineage_id}", secrets.token_bytes(KEY_BYTES))

    def contribution(self, contribution_id: UUID) -> bytes:
        """Key (32 bytes) under which what an owner sent for a join lies sealed."""
        return self._key(f"contribution-{contribution_id}", secrets.token_bytes(KEY_BYTES))

    def forget_contribution(self, contribution_id: UUID) -> None:
        """Without it nothing opens what was sealed. Again is harmless."""
        (self._folder / f"contribution-{contribution_id}").unlink(missing_ok=True)

    def publication(self, publication_id: UUID) -> bytes:
        """Key (32 bytes) under which an owner's file lies sealed until it is listed or given up."""
        return self._key(f"publication-{publication_id}", secrets.token_bytes(KEY_BYTES))

    def forget_publication(self, publication_id: UUID) -> None:
        """Without it nothing opens the file. Again is harmless."""
        (self._folder / f"publication-{publication_id}").unlink(missing_ok=True)

    def salt_key(self) -> bytes:
        """Key (32 bytes) from which salts that must come out the same again are derived."""
        return self._key("salt", secrets.token_bytes(KEY_BYTES))

    def event_tag(self) -> bytes:
        """Key (32 bytes) under which a process of this home tags what it records; what has no tag gets no leaf."""
        return self._key("event-tag", secrets.token_bytes(KEY_BYTES))

    def subject_seal(self) -> bytes:
        """Key (32 bytes) that seals the sessions of data subjects; without it all of them are over."""
        return self._key("subject-seal", secrets.token_bytes(KEY_BYTES))

    def device_seal(self) -> bytes:
        """Key (32 bytes) that seals which browsers an account has signed in from."""
        return self._key("device-seal", secrets.token_bytes(KEY_BYTES))

    def table_seal(self) -> bytes:
        """Key (32 bytes) under which the keys of startups' own tables lie in the database."""
        return self._key("table-seal", secrets.token_bytes(KEY_BYTES))

    def answer_seal(self) -> bytes:
        """Key (32 bytes) under which the keys of answers lie in the database; without it none can be read."""
        if self._answer_seal is None:
            self._answer_seal = self._key("answer-seal", secrets.token_bytes(KEY_BYTES))
        return self._answer_seal

    def einvoice_signing(self, fresh: Callable[[], bytes]) -> bytes:
        """PEM of key and certificate that sign e-invoices where none is configured; `fresh` makes the first."""
        try:
            return (self._folder / "einvoice-signing").read_bytes()
        except FileNotFoundError:
            return self._key("einvoice-signing", fresh())

    def log_signing(self) -> Ed25519PrivateKey:
        """The key that signs the log's checkpoints."""
        fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return Ed25519PrivateKey.from_private_bytes(self._key("log-signing", fresh))

    def quote_signing(self) -> Ed25519PrivateKey:
        """The key that signs quotes."""
        if self._quote_signing is None:
            fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
            self._quote_signing = Ed25519PrivateKey.from_private_bytes(self._key("quote-signing", fresh))
        return self._quote_signing

    def facts_key_id(self) -> str:
        """Id of the key that encrypts now: the newest when this process first asked, made if there is none."""
        if self._newest_facts is None:
            ids = self._facts_ids()
            self._newest_facts = str(max(ids)) if ids else self._make_facts(1)
        return self._newest_facts

    def facts(self, key_id: str) -> bytes:
        """AES-256 key (32 bytes) of that id; it is never made here. Raises KeyGone."""
        if key_id not in self._facts:
            try:
                self._facts[key_id] = (self._folder / f"{FACTS}{int(key_id)}").read_bytes()
            except (OSError, ValueError) as gone:
                raise KeyGone(key_id) from gone
        return self._facts[key_id]

    def rotate_facts(self) -> str:
        """Make the next key, and give its id; processes that start from now on encrypt under it."""
        self._newest_facts = self._make_facts(max(self._facts_ids(), default=0) + 1)
        return self._newest_facts

    def _facts_ids(self) -> list[int]:
        names = [path.name.removeprefix(FACTS) for path in self._folder.glob(f"{FACTS}*")]
        return [int(name) for name in names if name.isdecimal()]

    def _make_facts(self, number: int) -> str:
        self._facts[str(number)] = self._key(f"{FACTS}{number}", secrets.token_bytes(KEY_BYTES))
        return str(number)

    def _key(self, name: str, fresh: bytes) -> bytes:
        """The file's bytes; if there is none, `fresh` becomes it, whole and once, whoever else tries."""
        path = self._folder / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return path.read_bytes()
        finally:
            draft.unlink()
        return fresh
