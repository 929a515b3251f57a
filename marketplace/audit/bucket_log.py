"""The published log in a bucket of an S3-speaking store: `<prefix>checkpoint`, `<prefix>tile/…`, as on disk.

A tile is put once and never over another: by a conditional put where the store has it, else after a look. What the
store acknowledges is read back before the checkpoint is put, and that only in place of the one that was read when
writing began. So a kill or a lost answer at any instant leaves a log as it was shown, and the rest is put again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from marketplace.audit.disk import FILES_AT_ONCE, alone_in
from marketplace.audit.published import PublishedBroken
from marketplace.sources.bucket import Bucket, Object, StoreAway, StoreSaysNo

CHECKPOINT = "checkpoint"
PROBE = "probe"
MAX_NOTE_BYTES = 64 * 1024
MAX_TILE_BYTES = 16 * 1024 * 1024 + 512
"""256 leaves, each as long as its length in two bytes can say."""
SEEN_S = 1.0
"""Every request is paid for, and the sequencer asks ten times a second though nothing happens."""
_ABSENT = {"if-none-match": "*"}
_NOT_IMPLEMENTED = 501


class BucketLog:
    """`lock`: a folder of this home, in which one of its processes at a time writes."""

    def __init__(self, bucket: Bucket, lock: Path) -> None:
        self._bucket = bucket
        self._lock = lock
        self._keeps_conditions: bool | None = None
        self._seen: tuple[float, Object | None] | None = None

    def checkpoint(self) -> str | None:
        """The note that is shown, at most SEEN_S ago. Raises StoreAway, StoreSaysNo."""
        found = self.shown()
        return found.data.decode(errors="replace") if found else None

    def shown(self) -> Object | None:
        """The same with its etag."""
        seen, now = self._seen, time.monotonic()
        if seen is None or now - seen[0] > SEEN_S:
            self._seen = seen = (now, self._read(CHECKPOINT, MAX_NOTE_BYTES))
        return seen[1]

    def forget(self) -> None:
        """The next look is at the store."""
        self._seen = None

    def read(self, path: str) -> bytes | None:
        """A file below `tile/`. Raises StoreAway, StoreSaysNo."""
        found = self._read(f"tile/{path}", MAX_TILE_BYTES)
        return found.data if found else None

    @contextlib.contextmanager
    def writing(self) -> Iterator[BucketWriting]:
        """Alone on this machine; who writes from another one is found when the checkpoint is put."""
        with alone_in(self._lock), ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            if self._keeps_conditions is None:
                self._keeps_conditions = self._probed()
            yield BucketWriting(self, self._bucket, pool, conditional=self._keeps_conditions)

    def _read(self, name: str, max_bytes: int) -> Object | None:
        return self._bucket.get(self._bucket.place.prefix + name, max_bytes=max_bytes)

    def _probed(self) -> bool:
        """Whether the store refuses a put whose condition fails. Some know no conditions, some ignore them."""
        key = self._bucket.place.prefix + PROBE
        try:
            self._bucket.put(key, b"conditional?", only=_ABSENT)
            conditions: tuple[dict[str, str], ...] = (_ABSENT, {"if-match": '"00000000000000000000000000000000"'})
            return not any(self._bucket.put(key, b"conditional?", only=each) for each in conditions)
        except StoreSaysNo as no:
            if no.status == _NOT_IMPLEMENTED:
                return False
            raise


class BucketWriting:
    """Made by `BucketLog.writing`. `conditional`: the store keeps conditions of a put."""

    def __init__(self, log: BucketLog, bucket: Bucket, pool: ThreadPoolExecutor, *, conditional: bool) -> None:
        self._log, self._bucket, self._pool, self._conditional = log, bucket, pool, conditional
        self._prefix = bucket.place.prefix
        self._before = log.shown()

    def still(self) -> bool:
        """Another process of this home may have shown more within the last SEEN_S."""
        self._log.forget()
        before, self._before = self._before, self._log.shown()
        return before == self._before

    def put(self, files: Mapping[str, bytes]) -> None:
        """Each acknowledged, and read back. Raises PublishedBroken where other bytes have the name."""
        list(self._pool.map(lambda path: self._keep(f"tile/{path}", files[path]), files))

    def show(self, note: str) -> None:
        """In place of the note that was seen when writing began. Raises StoreAway where another stands there."""
        key, data, before = self._prefix + CHECKPOINT, note.encode(), self._before
        self._log.forget()
        if self._conditional:
            self._bucket.put(key, data, only={"if-match": before.etag} if before else _ABSENT)
        elif self._bucket.get(key, max_bytes=MAX_NOTE_BYTES) == before:
            self._bucket.put(key, data)
        self._before = self._log.shown()
        if self._before is None or self._before.data != data:
            raise StoreAway("another checkpoint stands in the store: somebody else writes to this log too")

    def drop(self, folders: Collection[str]) -> None:
        """What cannot be removed stays."""
        for folder in folders:
            with contextlib.suppress(OSError):
                within = f"{self._prefix}tile/{folder}/"
                # Some stores list more than they are asked for; what is removed is gone for good.
                keys = [key for key, _ in self._bucket.listing(within) if key.startswith(within)]
                for key in keys:
                    self._bucket.remove(key)

    def _keep(self, name: str, data: bytes) -> None:
        key = self._prefix + name
        if self._conditional:
            self._bucket.put(key, data, only=_ABSENT)
        elif self._bucket.get(key, max_bytes=MAX_TILE_BYTES) is None:
            self._bucket.put(key, data)
        # Neither its answer is believed nor that of a refused condition, but what stands there now.
        kept = self._bucket.get(key, max_bytes=MAX_TILE_BYTES)
        if kept is None:
            raise StoreAway(f"the store acknowledged {name} and does not have it")
        if kept.data != data:
            raise PublishedBroken(f"{name} in the store holds other bytes than this log's: it is not written over")
