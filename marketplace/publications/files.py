"""The private folder of a publication: the owner's file sealed under a key of its own, and the stages' rooms."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from catalog.errors import PublicationRefused
from catalog.joint.sealed import SealBroken, seal_file, unseal_file
from catalog.storage import Store
from catalog.working import space
from marketplace.db.keys import Keys

SEALED, SUITE = "source.sealed", "suite.sealed"


def folder_of(store: Store, publication_id: UUID) -> Path:
    return store.root / "publications" / str(publication_id)


def take_in(store: Store, keys: Keys, publication_id: UUID, source: Path, suite_text: str | None) -> None:
    """Seal copies of file and suite. Raises PublicationRefused where the disk is full; then nothing stays."""
    try:
        with space():
            folder = folder_of(store, publication_id)
            folder.mkdir(mode=0o700)
            key, suite = keys.publication(publication_id), folder / "suite"
            seal_file(key, source, folder / SEALED)
            # Nothing is sealed too: a suite that got lost must not look like none.
            suite.write_text(suite_text or "", encoding="utf-8")
            seal_file(key, suite, folder / SUITE)
            suite.unlink()
    except BaseException:
        forget(store, keys, publication_id)
        raise


@contextmanager
def opened(store: Store, keys: Keys, publication_id: UUID) -> Iterator[Path]:
    """The file in the clear, for as long as a jail reads it. Raises PublicationRefused if the seal is broken."""
    with _unsealed(store, keys, publication_id, SEALED) as clear:
        yield clear


def suite_of(store: Store, keys: Keys, publication_id: UUID) -> str | None:
    """What the data must keep to, if that was sent. Raises PublicationRefused if the seal is broken."""
    with _unsealed(store, keys, publication_id, SUITE) as clear:
        return clear.read_text(encoding="utf-8") or None


@contextmanager
def _unsealed(store: Store, keys: Keys, publication_id: UUID, name: str) -> Iterator[Path]:
    folder = folder_of(store, publication_id)
    clear = (folder / name).with_suffix("")
    clear.unlink(missing_ok=True)
    try:
        try:
            unseal_file(keys.publication(publication_id), folder / name, clear)
        except SealBroken as broken:
            raise PublicationRefused("publication.file_gone") from broken
        yield clear
    finally:
        clear.unlink(missing_ok=True)


def forget(store: Store, keys: Keys, publication_id: UUID) -> None:
    """Key first, then all files. Again is harmless."""
    keys.forget_publication(publication_id)
    shutil.rmtree(folder_of(store, publication_id), ignore_errors=True)


def folders(store: Store, *, older_than_s: int) -> tuple[UUID, ...]:
    """Of publications, for the sweep; what is named otherwise is nobody's here."""
    found = []
    for folder in (store.root / "publications").iterdir():
        with suppress(ValueError, FileNotFoundError):
            publication_id = UUID(folder.name)
            if time.time() - folder.stat().st_mtime > older_than_s:
                found.append(publication_id)
    return tuple(found)
