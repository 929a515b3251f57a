"""Where answers lie: small ones in their row, large ones in a file that is whole before the row names it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from msgspec import Struct

from marketplace.db.keys import Keys
from marketplace.queries.chunks import (
    CHUNK_BYTES,
    KEY_BYTES,
    TAG_BYTES,
    ChunkBroken,
    Chunks,
    count_of,
    unwrap,
    wrap,
)
from marketplace.queries.errors import ResultUnreadable, ResultUnwritable
from marketplace.queries.label import Label, labelled

logger = logging.getLogger(__name__)

ROW_BYTES = 4 * CHUNK_BYTES
"""Answers up to this size lie in the database: they need no file, no fsync of their own, no second place."""


NOBODY = 0
"""The number of a process that runs no queries."""


class AtRest(Struct, frozen=True, kw_only=True):
    """A sealed answer as its row has it. `body` None: it lies in the file. `size_bytes`: of the Arrow stream."""

    wrapped_key: bytes
    size_bytes: int
    body: bytes | None


class Answers:
    """The folder of the large ones. `runner`: number of this process; what it has not finished carries it."""

    def __init__(self, folder: Path, keys: Keys, runner: int) -> None:
        self._folder, self._runner = folder, runner
        self.keys = keys

    def draft(self, query_id: UUID) -> Draft:
        """A place to write the answer of a query that runs here."""
        return Draft(self._folder, query_id, self.keys.answer_seal(), self._runner)

    def open(self, query_id: UUID, kept: AtRest) -> Answer:
        """A kept answer. Raises ResultUnreadable."""
        try:
            key = unwrap(self.keys.answer_seal(), query_id, kept.wrapped_key)
            file = io.BytesIO(kept.body) if kept.body is not None else (self._folder / str(query_id)).open("rb")
        except (ChunkBroken, OSError) as gone:
            logger.error("the answer of query %s cannot be read: %s", query_id, gone)
            raise ResultUnreadable(query_id=str(query_id)) from gone
        return Answer(query_id, file, Chunks(key, query_id), kept.size_bytes)

    def erase(self, query_id: UUID) -> None:
        """Remove the file, if there is one; what reads from it now may go on to the end."""
        (self._folder / str(query_id)).unlink(missing_ok=True)

    def files(self) -> tuple[dict[UUID, Path], dict[Path, int]]:
        """Finished files by their query, and drafts with the number of the process that writes each."""
        finished, drafts = {}, {}
        for path in self._folder.glob("*") if self._folder.is_dir() else ():
            runner, _, rest = path.name.partition("~")
            if rest and runner.isdecimal():
                drafts[path] = int(runner)
            else:
                with contextlib.suppress(ValueError):
                    finished[UUID(path.name)] = path
        return finished, drafts


class Draft(io.RawIOBase):
    """A sink for an Arrow stream: sealed as it comes, in memory while it is small, never in the clear on a disk.

    `write`, `finish`, and before the row is committed `keep`; else `drop`.
    """

    def __init__(self, folder: Path, query_id: UUID, home_key: bytes, runner: int) -> None:
        key = secrets.token_bytes(KEY_BYTES)
        self._chunks, self._wrapped_key = Chunks(key, query_id), wrap(home_key, query_id, key)
        self._path = folder / str(query_id)
        self._draft_path = folder / f"{runner}~{query_id}"
        self._file: BinaryIO | None = None
        self._pending, self._sealed = bytearray(), bytearray()
        self._digest = hashlib.sha256()
        self._index = 0
        self._dropped = False
        # A query that is cancelled is dropped here while a thread still copies what it said.
        self._lock = threading.Lock()
        self.size_bytes = 0
        self.label: Label | None = None
        """Put into the head of the stream as it comes; set before the first write."""
        self._head = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # Arrow hands over bytes
        """Raises ResultUnwritable: the disk is full or gone."""
        if self.label is None:
            self._take(data)
        elif (head := labelled(self._head + data, self.label)) is None:
            self._head += data
        else:
            rest, self.label = (self._head + data)[head.replaces_bytes :], None
            self._take(head.message)
            self._take(rest)
        return len(data)

    def _take(self, data: bytes) -> None:
        self._digest.update(data)
        self.size_bytes += len(data)
        for start in range(0, len(data), CHUNK_BYTES):
            self._pending += data[start : start + CHUNK_BYTES]
            # More than one chunk's worth: the last chunk must not turn out empty.
            if len(self._pending) > CHUNK_BYTES:
                self._put(bytes(self._pending[:CHUNK_BYTES]), last=False)
                del self._pending[:CHUNK_BYTES]

    def finish(self) -> AtRest:
        """All is written, and on the disk if it is large. Raises ResultUnwritable."""
        self._put(bytes(self._pending), last=True)
        self._pending.clear()
        body = bytes(self._sealed) if self._file is None else None
        if self._file is not None:
            with self._unwritable():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
        return AtRest(wrapped_key=self._wrapped_key, size_bytes=self.size_bytes, body=body)

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._digest.hexdigest()

    @property
    def large(self) -> bool:
        """Whether it lies in a file."""
        return self._file is not None

    def keep(self) -> None:
        """Give the file its name, for good, before the row that names it is committed. Raises ResultUnwritable."""
        with self._unwritable():
            self._draft_path.rename(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def drop(self) -> None:
        """The query ended without this answer. What cannot be removed now, the sweep finds."""
        with self._lock, contextlib.suppress(OSError):
            self._dropped = True
            if self._file is None:
                return
            self._file.close()
        for path in (self._draft_path, self._path):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _put(self, data: bytes, *, last: bool) -> None:
        sealed = self._chunks.seal(self._index, data, last=last)
        self._index += 1
        if self._file is None and self._index * CHUNK_BYTES <= ROW_BYTES:
            self._sealed += sealed
            return
        with self._lock, self._unwritable():
            if self._dropped:
                raise ResultUnwritable
            if self._file is None:
                self._draft_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = self._draft_path.open("xb")
                self._file.write(self._sealed)
                self._sealed.clear()
            self._file.write(sealed)

    @contextlib.contextmanager
    def _unwritable(self) -> Iterator[None]:
        try:
            yield
        except OSError as full:
            logger.error("the answer %s cannot be written: %s", self._path.name, full)
            raise ResultUnwritable from full


class Answer(io.RawIOBase):
    """A kept answer as a file in the clear, opened chunk by chunk: holds one chunk in memory, never all."""

    def __init__(self, query_id: UUID, file: BinaryIO, chunks: Chunks, size_bytes: int) -> None:
        self.query_id, self._file, self._chunks = query_id, file, chunks
        self.size_bytes = size_bytes
        self._place = 0
        self._index, self._open = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size_bytes}[whence]
        self._place = max(0, start + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes from here. Raises ResultUnreadable: the bytes at rest are not those written."""
        end = self.size_bytes if size is None or size < 0 else min(self._place + size, self.size_bytes)
        found = bytearray()
        while self._place < end:
            chunk = self._chunk(self._place // CHUNK_BYTES)
            start = self._place % CHUNK_BYTES
            part = chunk[start : start + end - self._place]
            found += part
            self._place += len(part)
        return bytes(found)

    def parts(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to before `stop`, a chunk at a time."""
        self.seek(start)
        while self._place < stop:
            yield self.read(min(CHUNK_BYTES - self._place % CHUNK_BYTES, stop - self._place))

    def close(self) -> None:
        self._file.close()
        super().close()

    def _chunk(self, index: int) -> bytes:
        if index != self._index:
            self._file.seek(index * (CHUNK_BYTES + TAG_BYTES))
            last = index == count_of(self.size_bytes) - 1
            try:
                self._open = self._chunks.open(index, self._file.read(CHUNK_BYTES + TAG_BYTES), last=last)
            except (ChunkBroken, OSError) as wrong:
                logger.error("the answer of query %s is not what was kept: %r", self.query_id, wrong)
                raise ResultUnreadable(query_id=str(self.query_id)) from wrong
            self._index = index
            expected = min(CHUNK_BYTES, self.size_bytes - index * CHUNK_BYTES)
            if len(self._open) != expected:
                raise ResultUnreadable(query_id=str(self.query_id))
        return self._open
