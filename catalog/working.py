"""Where a publication is made: a private folder of the store, and what a full disk is called."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import PublicationRefused
from catalog.storage import Store

_ABANDONED_S = 86_400


@contextmanager
def workplace(store: Store) -> Iterator[Path]:
    """A private folder that is gone afterwards; those of dead processes go after a day."""
    incoming = store.root / "incoming"
    for old in incoming.iterdir():
        if time.time() - old.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=incoming))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def space() -> Iterator[None]:
    """Raises PublicationRefused where the disk is full."""
    try:
        yield
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise PublicationRefused("publication.disk_full") from e
        raise
