"""All objects below a prefix of an S3-speaking store, as files in a folder."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marketplace.sources.bucket import Bucket, StoreAway, StoreSaysNo, code_of, tried
from marketplace.sources.description import S3
from marketplace.sources.errors import (
    NothingThere,
    StoreRefused,
    StoreUnreachable,
    TooLarge,
    TooManyObjects,
    TooSlow,
)

MAX_OBJECTS = 500
_SIZE = re.compile(r"[0-9]{1,18}")
_TIMEOUT_MS = 30_000


def fetch_s3(source: S3, folder: Path, *, deadline_ms: int, max_bytes: int) -> None:
    """Write each object, by the order of their keys, into `folder`. `deadline_ms`: for all of it. Blocking.

    Raises NotSecure, NothingThere, TooManyObjects, TooLarge, TooSlow, StoreRefused, StoreUnreachable.
    """
    bucket = Bucket(source, timeout_ms=_TIMEOUT_MS)
    try:
        with _told():
            _fetch(_Fetching(bucket, max_bytes, deadline_ms), folder)
    finally:
        bucket.close()


def _fetch(fetching: _Fetching, folder: Path) -> None:
    keys = list(fetching.keys())
    if not keys:
        raise NothingThere
    for number, key in enumerate(keys):
        name = re.sub(r"[^A-Za-z0-9.-]", "-", key.rsplit("/", 1)[-1]).lstrip(".-")[-80:]
        fetching.download(key, folder / f"{number:05d}-{name}")


@contextmanager
def _told() -> Iterator[None]:
    """Faults of the store as an owner is told them."""
    try:
        yield
    except StoreSaysNo as no:
        raise StoreRefused(status=no.status, reason=no.reason) from None
    except StoreAway:
        raise StoreUnreachable from None


class _Fetching:
    def __init__(self, bucket: Bucket, max_bytes: int, deadline_ms: int) -> None:
        self.bucket, self.left, self.max_bytes = bucket, max_bytes, max_bytes
        self.until, self.deadline_ms = time.monotonic() + deadline_ms / 1000, deadline_ms

    def keys(self) -> Iterator[str]:
        """Of all objects that hold something, but for what tools leave beside the data."""
        found, prefix = 0, self.bucket.place.prefix
        self._require_time()
        for key, size in self.bucket.listing(prefix):
            self._require_time()
            inside = key.removeprefix(prefix).strip("/") or key
            if _is_filled(size) and not any(part.startswith((".", "_")) for part in inside.split("/")):
                found += 1
                if found > MAX_OBJECTS:
                    raise TooManyObjects(max=MAX_OBJECTS)
                yield key

    def download(self, key: str, target: Path) -> None:
        """One object. What all of them may take is bounded together."""
        tried(lambda: self._write(key, target))
        self.left -= target.stat().st_size

    def _write(self, key: str, target: Path) -> None:
        self._require_time()
        given = 0
        with self.bucket.send("GET", key) as answer, target.open("wb") as file:
            target.chmod(0o600)
            if answer.status_code != 200:
                raise StoreSaysNo(answer.status_code, code_of(answer))
            for block in answer.iter_raw():
                self._require_time()
                given += len(block)
                if given > self.left:
                    raise TooLarge(max_bytes=self.max_bytes)
                file.write(block)

    def _require_time(self) -> None:
        if time.monotonic() > self.until:
            raise TooSlow(max_s=self.deadline_ms // 1000)


def _is_filled(size: str) -> bool:
    if not _SIZE.fullmatch(size):
        raise StoreSaysNo(200, "Size")
    return bool(int(size))
