"""Where an owner's rows are, as a file or folder that can be read: fetched first where they are elsewhere."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.limits import IngestLimits
from marketplace.sources.description import Postgres, read_description
from marketplace.sources.postgres import fetch_postgres
from marketplace.sources.s3 import fetch_s3


@contextmanager
def located(path: Path, *, home: Path, deadline_ms: int) -> Iterator[Path]:
    """The path itself, or, of a .toml, a private copy of what it describes that is gone afterwards. Blocking.

    For the main thread: SIGTERM ends what is done within as Ctrl-C does. Raises the Problems of
    `marketplace.sources.errors`.
    """
    above = home / "sources"
    _sweep(above)
    if path.suffix != ".toml":
        with _ended_by_sigterm():
            yield path
        return
    described, max_bytes = read_description(path), IngestLimits().max_bytes
    with _ended_by_sigterm(), _own_folder(above) as own:
        folder = own / "rows"
        folder.mkdir(mode=0o700)
        if isinstance(described, Postgres):
            fetch_postgres(described, folder / "rows.csv", deadline_ms=deadline_ms, max_bytes=max_bytes)
        else:
            fetch_s3(described, folder, deadline_ms=deadline_ms, max_bytes=max_bytes)
        yield folder


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _own_folder(above: Path) -> Iterator[Path]:
    """Locked while it is used: the kernel lets go however the process ends."""
    above.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    above.mkdir(exist_ok=True, mode=0o700)
    with _locked(above):
        own = Path(tempfile.mkdtemp(dir=above))
        held = _lock(own, fcntl.LOCK_EX)
    try:
        yield own
    finally:
        shutil.rmtree(own)
        os.close(held)


def _sweep(above: Path) -> None:
    """Remove the folders of processes that were killed."""
    if not above.is_dir():
        return
    with _locked(above):
        for left in above.iterdir():
            try:
                held = _lock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # in use, or none of ours
                continue
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)


@contextmanager
def _locked(above: Path) -> Iterator[None]:
    held = _lock(above, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(held)


def _lock(folder: Path, how: int) -> int:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, how)
    except OSError:
        os.close(held)
        raise
    return held
