"""An owner's file as a stream of bytes that ends at a bound: what unfolds without end stops here."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import Any, BinaryIO

from catalog.jailed.refused import Refused

GZIP = b"\x1f\x8b"
_BUFFER_BYTES = 1024 * 1024


class Bounded(io.RawIOBase):
    """Reads another stream and refuses to give more than `limit` bytes, or one that holds NUL where `text`."""

    def __init__(self, stream: BinaryIO, limit: int, *, text: bool = False) -> None:
        self.stream, self.limit, self.text, self.given = stream, limit, text, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self.stream.read(len(buffer))
        except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as e:
            raise Refused("ingest.gzip_broken") from e
        if self.text and (place := data.find(0)) >= 0:
            raise NulByte(self.given + place)
        self.given += len(data)
        if self.given > self.limit:
            raise Refused("ingest.too_large", max_bytes=self.limit)
        buffer[: len(data)] = data
        return len(data)


class NulByte(Exception):
    """A zero byte in a text, `offset` bytes from its beginning."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def unfolded(file: BinaryIO, limit: int, *, text: bool = False) -> io.BufferedReader:
    """The file from its beginning, out of gzip where it is in it; at most `limit` bytes."""
    file.seek(0)
    packed = file.read(2) == GZIP
    file.seek(0)
    stream: Any = gzip.GzipFile(fileobj=file, mode="rb") if packed else file
    return io.BufferedReader(Bounded(stream, limit, text=text), _BUFFER_BYTES)
