"""The heads of Arrow messages that a jail wrote: what they may not say is refused before Arrow acts upon it.

Flatbuffers of the Arrow columnar format: of a Message type is field 1, header 2, body's length 3; of a
DictionaryBatch the RecordBatch is field 1; of that the compression is field 3.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

import pyarrow as pa

_DICTIONARY, _BATCH = 2, 3
_CONTINUED = b"\xff\xff\xff\xff"


def require_plain(metadata: bytes) -> None:
    """Raises ArrowInvalid, or struct.error, for compressed buffers: a few bytes could unfold to any size."""
    message = struct.unpack_from("<I", metadata, 0)[0]
    at = _field(metadata, message, 1)
    kind = 0 if at is None else struct.unpack_from("<B", metadata, at)[0]
    if kind not in (_DICTIONARY, _BATCH):
        return
    batch = _table(metadata, message, 2)
    if kind == _DICTIONARY:
        batch = _table(metadata, batch, 1)
    if _field(metadata, batch, 3) is not None:
        raise pa.ArrowInvalid("a compressed batch")


class PlainStream(io.RawIOBase):
    """One Arrow stream out of another stream of bytes, as it comes, and no byte behind its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._head, self._body_bytes, self._ended = b"", 0, False

    def readable(self) -> bool:
        return True

    def read(self, size: int) -> bytes:  # type: ignore[override]  # Arrow always says how many
        """So many bytes, fewer at the end of a message's head or body. Raises ArrowInvalid as `require_plain`."""
        if not self._head and not self._body_bytes and not self._ended:
            self._begin()
        if self._head:
            given, self._head = self._head[:size], self._head[size:]
            return given
        given = self._stream.read(min(size, self._body_bytes))
        self._body_bytes -= len(given)
        return given

    def _begin(self) -> None:
        start = self._stream.read(8)
        length = struct.unpack_from("<i", start, 4)[0] if len(start) == 8 else 0
        self._ended = length <= 0
        if start and start[:4] != _CONTINUED:
            raise pa.ArrowInvalid("a message of before 2019")
        metadata = b"" if self._ended else self._stream.read(length)
        self._head = start + metadata
        if self._ended:
            return
        try:
            require_plain(metadata)
            body = _field(metadata, struct.unpack_from("<I", metadata, 0)[0], 3)
            self._body_bytes = 0 if body is None else max(struct.unpack_from("<q", metadata, body)[0], 0)
        except struct.error as broken:
            raise pa.ArrowInvalid("a broken head") from broken


def _table(data: bytes, table: int, index: int) -> int:
    at = _field(data, table, index)
    if at is None:
        raise pa.ArrowInvalid("a batch without header")
    return at + int(struct.unpack_from("<I", data, at)[0])


def _field(data: bytes, table: int, index: int) -> int | None:
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0:
        raise pa.ArrowInvalid("a table without fields")
    if struct.unpack_from("<H", data, vtable)[0] < 6 + 2 * index:
        return None
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * index)[0]
    return table + offset if offset else None
