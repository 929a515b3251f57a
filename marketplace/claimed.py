"""Files and folders that a process works on, locked, so that a sweep knows what the dead left, however they died.

By flock(2): the kernel lets go when the process ends, and nobody has to ask whether a number is still alive.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path


class Claim:
    """On what lies at `path`, by whatever name it has later, once no other has one.

    Let go at the latest when nobody holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._descriptor = os.open(path, os.O_RDONLY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """From now on the sweep may take it; more than once does no harm."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    __del__ = release


@asynccontextmanager
async def working_folder(below: Path) -> AsyncIterator[Path]:
    """A new folder, mode 0700, removed at the end."""
    claim = await asyncio.to_thread(_new_folder, below)
    try:
        yield claim.path
    finally:
        await asyncio.to_thread(shutil.rmtree, claim.path, ignore_errors=True)
        claim.release()


def new_file(path: Path) -> Claim:
    """An empty file, mode 0600, in a folder that is there. Raises FileExistsError."""
    with _one_at_a_time(path.parent):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return Claim(path)


def abandoned(folder: Path) -> tuple[Path, ...]:
    """What lies in the folder and no living process works on."""
    if not folder.is_dir():
        return ()
    with _one_at_a_time(folder):
        return tuple(path for path in folder.iterdir() if _is_free(path))


def _new_folder(below: Path) -> Claim:
    below.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _one_at_a_time(below):
        return Claim(Path(tempfile.mkdtemp(dir=below)))


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Nobody may look between the making of a thing and its claim."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_free(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
