"""The jailed programs as plain functions: for laws over many random tables, where a jail each would take hours."""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from msgspec import Struct
from pyarrow import parquet

from catalog.cohorts import Ints
from catalog.jailed import anonymise, ingest, measure
from catalog.reading import Reading
from catalog.wire import (
    AnonymiseOrder,
    AnonymiseReply,
    IngestColumn,
    IngestOrder,
    IngestReply,
    MeasureColumn,
    MeasureOrder,
    MeasureReply,
    PartHead,
    read_frames,
)

Main = Callable[[bytes, Sequence[int], BinaryIO], bytes]


class Made(Struct):
    """What the anonymising program wrote."""

    reply: AnonymiseReply
    heads: list[PartHead]
    parts: list[bytes]
    cohort: Ints
    ranges: Ints

    def table(self, index: int) -> pa.Table:
        return parquet.read_table(io.BytesIO(self.parts[index]))

    def cohorts(self) -> Iterator[tuple[PartHead, pa.Table]]:
        """Each cohort's rows, with the head of its part."""
        tables = [self.table(i) for i in range(len(self.parts))]
        for part, begin, end in self.ranges.tolist():
            yield self.heads[part], tables[part].slice(begin, end - begin)


@contextmanager
def descriptors(*contents: bytes) -> Iterator[list[int]]:
    """Each content as an open file."""
    with ExitStack() as stack:
        files = []
        for content in contents:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(content)
            file.seek(0)
            files.append(file.fileno())
        yield files


def stream(table: pa.Table) -> bytes:
    """As the broker hands persons over."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def run_anonymise(order: AnonymiseOrder, table: pa.Table, masks: Sequence[int]) -> Made:
    output = io.BytesIO()
    with descriptors(stream(table), np.array(masks, dtype=np.int32).tobytes()) as files:
        reply = msgspec.msgpack.decode(
            anonymise.main(msgspec.msgpack.encode(order), files, output), type=AnonymiseReply
        )
    output.seek(0)
    heads, parts, arrays = [], [], dict[bytes, bytearray]()
    for kind, body in read_frames(output):
        if kind == b"HEAD":
            heads.append(msgspec.msgpack.decode(body, type=PartHead))
        elif kind == b"PART":
            parts.append(bytes(body))
        else:
            arrays.setdefault(kind, bytearray()).extend(body)
    return Made(
        reply,
        heads,
        parts,
        np.frombuffer(arrays.get(b"COHO", b""), dtype=np.int32),
        np.frombuffer(arrays.get(b"RNGE", b""), dtype=np.int64).reshape(-1, 3),
    )


def run_measure(order: AnonymiseOrder, made: Made, table: pa.Table) -> MeasureReply:
    """Measure what was made, as the broker has it measured."""
    columns = tuple(
        MeasureColumn(name=c.name, type=made.reply.types.get(c.name, c.type), role=c.role) for c in order.columns
    )
    asked = MeasureOrder(columns=columns, mode=order.mode, k=order.k, l=order.l, parts=len(made.parts))
    private = [made.ranges.tobytes()]
    if order.mode == "aggregate":
        private += [made.cohort.tobytes(), stream(table)]
    with descriptors(*made.parts, *private) as files:
        return msgspec.msgpack.decode(
            measure.main(msgspec.msgpack.encode(asked), files, io.BytesIO()), type=MeasureReply
        )


def run_ingest(
    content: bytes, *columns: tuple[str, str], reading: Mapping[str, Any] = MappingProxyType({}), **bounds: int
) -> tuple[IngestReply, pa.Table | None]:
    """Read a file with these columns (name, stored type); the table if the stream is whole."""
    limits = {"max_rows": 1_000_000, "max_bytes": 50_000_000, "max_row_group_bytes": 50_000_000} | bounds
    order = IngestOrder(
        columns=tuple(IngestColumn(name=n, type=t, line=i + 1) for i, (n, t) in enumerate(columns)),
        null_words=("", "?", "NA"),
        reading=Reading(**reading),
        **limits,  # type: ignore[arg-type]
    )
    output = io.BytesIO()
    with descriptors(content) as files:
        reply = msgspec.msgpack.decode(ingest.main(msgspec.msgpack.encode(order), files, output), type=IngestReply)
    output.seek(0)
    return reply, None if reply.refusal else pa.ipc.open_stream(output).read_all()


class _Done(Struct):
    reply: bytes


@contextmanager
def in_process(instead: Mapping[str, str] = MappingProxyType({})) -> Iterator[Callable[..., Any]]:
    """Publication with its jails left out: what runs in them runs here, or another function `instead`."""

    def run(
        entry: str, payload: bytes, files: Sequence[int], *, consume: Callable[[BinaryIO], object], **_: Any
    ) -> _Done:
        module, name = instead.get(entry, entry).split(":")
        output = io.BytesIO()
        reply = getattr(importlib.import_module(module), name)(payload, files, output)
        output.seek(0)
        consume(output)
        return _Done(reply)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("catalog.making.run_once", run)
        patch.setattr("catalog.intake.run_once", run)
        yield run


def parquet_bytes_of(columns: Mapping[str, list[Any]]) -> bytes:
    """A Parquet file of these columns."""
    sink = io.BytesIO()
    parquet.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()
