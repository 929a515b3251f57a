"""A startup's own table: read in a jail, checked batch by batch here, and written anew as Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

import msgspec
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet

from catalog.arriving import ARROW, arriving
from catalog.errors import PublicationRefused
from catalog.intake import decode_reply
from catalog.limits import IngestLimits
from catalog.wire import IngestOrder, OwnReply, drain
from sandbox.isolation.oneshot import run_once
from sandbox.job import Column


class OwnData(Struct, frozen=True, kw_only=True):
    """`body`: one Parquet file, every byte of it written here."""

    columns: tuple[Column, ...]
    rows: int
    body: bytes


def read_own(source: BinaryIO, *, limits: IngestLimits, max_body_bytes: int) -> OwnData:
    """Read a CSV or Parquet file that a stranger made. Blocking.

    Raises PublicationRefused with the jail's code, or SandboxFailed.
    """
    order = IngestOrder(
        columns=(), null_words=(), max_rows=limits.max_rows, max_bytes=limits.max_bytes,
        max_row_group_bytes=limits.max_row_group_bytes,
    )  # fmt: skip
    taker = _Taker(max_body_bytes)
    done = run_once(
        "catalog.jailed.own:main",
        msgspec.msgpack.encode(order),
        [source.fileno()],
        consume=taker.take,
        deadline_ms=limits.deadline_ms,
        memory_bytes=limits.memory_bytes,
        max_output_bytes=limits.max_output_bytes,
        threads=limits.threads,
    )
    reply = decode_reply(done.reply, OwnReply)
    if reply.refusal is not None:
        params = dict(reply.refusal.params)
        if names := params.pop("names", None):
            params["columns"] = ", ".join(map(str, names))
        raise PublicationRefused(reply.refusal.code, **params)
    if taker.too_large:
        raise PublicationRefused("ingest.too_large", max_bytes=max_body_bytes)
    columns = tuple(Column(name=each.name, type=each.type) for each in reply.columns)
    if not taker.whole or taker.rows != reply.rows or taker.schema != _schema(columns):
        raise PublicationRefused("ingest.unreadable")
    return OwnData(columns=columns, rows=taker.rows, body=taker.body.getvalue())


def _schema(columns: Sequence[Column]) -> pa.Schema | None:
    """None for a type that no table has: a jail said it."""
    if any(column.type not in ARROW for column in columns):
        return None
    return pa.schema([(column.name, ARROW[column.type]) for column in columns])


class _Taker:
    """Consumes the stream of batches; what wrote it has read a stranger's file, so each is validated."""

    def __init__(self, max_body_bytes: int) -> None:
        self.body, self.max_body_bytes = io.BytesIO(), max_body_bytes
        self.schema: pa.Schema | None = None
        self.rows, self.whole, self.too_large = 0, False, False

    def take(self, stream: BinaryIO) -> None:
        """Until the stream's end, or to where it is no Arrow stream any more."""
        try:
            self._take(stream)
        except (pa.ArrowException, KeyError, MemoryError, OSError):
            self.whole = False
        drain(stream)

    def _take(self, stream: BinaryIO) -> None:
        schema, batches = arriving(stream)
        self.schema = pa.schema([(field.name, _plain(field.type)) for field in schema])
        with parquet.ParquetWriter(self.body, self.schema, compression="zstd", store_schema=False) as writer:
            for batch in batches:
                writer.write_table(pa.table(batch).cast(self.schema))
                self.rows += batch.num_rows
                if self.body.tell() > self.max_body_bytes:
                    self.too_large = True
                    return
        self.whole = True


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
