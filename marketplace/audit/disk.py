"""The published log in a folder: `checkpoint`, `tile/…`, as any web server can serve them.

A file gets its name when its bytes are on the disk, then every folder on the way to it is synced, and only then
the checkpoint is replaced, by one rename. What a crash leaves behind is a log as it was shown, and beside it
drafts and tiles that no checkpoint speaks of; they are written again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from marketplace.audit.published import PublisherBusy

DRAFT = ".draft"
FILES_AT_ONCE = 16
"""Each waits for the disk: together they share its journal's commits (measured: 0.4 to 0.9 ms a file, not 5)."""


class System(Protocol):
    """The calls by which anything gets to the disk, as `os` has them: tests cut the power at each."""

    def open(self, path: Path, flags: int, mode: int = ..., /) -> int: ...
    def write(self, handle: int, data: bytes, /) -> int: ...
    def fsync(self, handle: int, /) -> None: ...
    def close(self, handle: int, /) -> None: ...
    def rename(self, source: Path, target: Path, /) -> None: ...
    def mkdir(self, path: Path, mode: int = ..., /) -> None: ...


class DiskLog:
    """`files_at_once`: how many are written at a time."""

    def __init__(self, folder: Path, *, system: System = os, files_at_once: int = FILES_AT_ONCE) -> None:
        self._folder = folder
        self._system = system
        self._files_at_once = files_at_once

    def checkpoint(self) -> str | None:
        """The note that is shown."""
        try:
            return (self._folder / "checkpoint").read_text()
        except FileNotFoundError:
            return None

    def read(self, path: str) -> bytes | None:
        """A file below `tile/`."""
        try:
            return (self._folder / "tile" / path).read_bytes()
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def writing(self) -> Iterator[DiskWriting]:
        """Under a lock of the folder, which the system takes back from whoever dies."""
        with alone_in(self._folder, self._system), ThreadPoolExecutor(self._files_at_once) as pool:
            yield DiskWriting(self._folder, self._system, pool)


class DiskWriting:
    """Made by `DiskLog.writing`."""

    def __init__(self, folder: Path, system: System, pool: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._system = system
        self._pool = pool

    def still(self) -> bool:
        """A disk is read each time, and whoever else writes waits."""
        return True

    def put(self, files: Mapping[str, bytes]) -> None:
        """Files first, then every folder on the way to them."""
        paths = {self._folder / "tile" / path: data for path, data in files.items()}
        folders = self._make({path.parent for path in paths})
        list(self._pool.map(lambda path: write_whole(path, paths[path], self._system), paths))
        # Also those that were there: whoever made them may have been killed before it had synced what names them.
        list(self._pool.map(self._sync, (*folders, self._folder, self._folder.parent)))

    def show(self, note: str) -> None:
        """One rename, made durable before anybody is told."""
        write_whole(self._folder / "checkpoint", note.encode(), self._system)
        self._sync(self._folder)

    def drop(self, folders: Collection[str]) -> None:
        """Not synced: what a crash brings back is still what it was."""
        for name in folders:
            folder = self._folder / "tile" / name
            with contextlib.suppress(OSError):
                for path in folder.iterdir():
                    path.unlink()
                folder.rmdir()

    def _make(self, folders: set[Path]) -> list[Path]:
        """These, and those above them within the log, outermost first."""
        every = {each for folder in folders for each in (folder, *folder.parents) if self._folder in each.parents}
        ordered = sorted(every, key=lambda each: len(each.parts))
        for each in ordered:
            with contextlib.suppress(FileExistsError):
                self._system.mkdir(each, 0o755)
        return ordered

    def _sync(self, folder: Path) -> None:
        handle = self._system.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._system.fsync(handle)
        finally:
            self._system.close(handle)


@contextlib.contextmanager
def alone_in(folder: Path, system: System = os) -> Iterator[None]:
    """One process at a time; the folder is made where it is not there. Raises PublisherBusy."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        system.mkdir(folder, 0o755)
    with (folder / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise PublisherBusy from busy
        yield


def write_whole(path: Path, data: bytes, system: System = os) -> None:
    """The file gets its name when its bytes are on the disk: who is killed leaves a draft. Raises OSError."""
    draft = path.with_name(path.name + DRAFT)
    handle = system.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        while data:
            data = data[system.write(handle, data) :]
        system.fsync(handle)
    finally:
        system.close(handle)
    system.rename(draft, path)
