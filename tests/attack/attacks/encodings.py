"""Attacks on the broker's reader of Arrow: encodings and heads that a schema of text has no need of."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from .answers import stream_of, write_all

_MARK = "x" * 1_337


def _column(output: BinaryIO, values: object) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": values})))


def _changed(output: BinaryIO, before: bytes, after: bytes, values: object) -> bytes:
    honest = stream_of(pa.record_batch({"outcome": values}))
    assert before in honest
    return write_all(output, honest.replace(before, after))


def a_registered_type(output: BinaryIO) -> bytes:
    return _column(output, pa.ExtensionArray.from_storage(pa.json_(), pa.array(["1"])))


def large_text(output: BinaryIO) -> bytes:
    return _column(output, pa.array(["x"], pa.large_string()))


def text_as_views(output: BinaryIO) -> bytes:
    return _column(output, pa.array(["x" * 40], pa.string_view()))


def bytes_for_text(output: BinaryIO) -> bytes:
    return _column(output, pa.array([b"x"]))


def runs(output: BinaryIO) -> bytes:
    """A billion rows in three words."""
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([1 << 30], pa.int32()), pa.array(["x"]))
    return _column(output, runs)


def nothing_at_all(output: BinaryIO) -> bytes:
    """A column of nulls needs no bytes for any number of rows."""
    return _column(output, pa.nulls(1 << 30))


def a_union(output: BinaryIO) -> bytes:
    kinds = pa.array([0], pa.int8())
    return _column(output, pa.UnionArray.from_sparse(kinds, [pa.array(["x"]), pa.array([1])]))


def a_struct(output: BinaryIO) -> bytes:
    return _column(output, pa.array([{"outcome": "x", "secret": "y"}]))


def a_map(output: BinaryIO) -> bytes:
    return _column(output, pa.array([[("x", "y")]], pa.map_(pa.string(), pa.string())))


def a_list_for_text(output: BinaryIO) -> bytes:
    return _column(output, pa.array([["x"]]))


def lists_in_lists_without_end(output: BinaryIO) -> bytes:
    type_ = pa.string()
    for _ in range(60):
        type_ = pa.list_(type_)
    return _column(output, pa.nulls(1, type_))


def two_columns_of_one_name(output: BinaryIO) -> bytes:
    batch = pa.record_batch([pa.array(["x"]), pa.array(["y"])], names=["outcome", "outcome"])
    return write_all(output, stream_of(batch))


def fewer_nulls_than_none(output: BinaryIO) -> bytes:
    """The head of a batch says how many values are null; readers have skipped the check of values for it."""
    values = pa.array([None if i % 2 else "x" for i in range(154)])
    return _changed(output, struct.pack("<qq", 154, 77), struct.pack("<qq", 154, -77), values)


def more_nulls_than_rows(output: BinaryIO) -> bytes:
    values = pa.array([None if i % 2 else "x" for i in range(154)])
    return _changed(output, struct.pack("<qq", 154, 77), struct.pack("<qq", 154, 1 << 40), values)


def a_buffer_longer_than_its_message(output: BinaryIO) -> bytes:
    return _changed(output, struct.pack("<q", len(_MARK)), struct.pack("<q", 1 << 40), [_MARK])


def a_buffer_of_less_than_nothing(output: BinaryIO) -> bytes:
    return _changed(output, struct.pack("<q", len(_MARK)), struct.pack("<q", -8), [_MARK])


def a_head_longer_than_the_stream(output: BinaryIO) -> bytes:
    return write_all(output, b"\xff\xff\xff\xff" + struct.pack("<i", 0x7FFFFFF8) + bytes(64))


def a_head_of_less_than_nothing(output: BinaryIO) -> bytes:
    return write_all(output, b"\xff\xff\xff\xff" + struct.pack("<i", -16) + bytes(64))


def batches_without_rows(output: BinaryIO) -> bytes:
    """As many as there is room for: each keeps its reader busy, and none counts as a row."""
    schema, data = (
        pa.schema([("outcome", pa.string())]),
        stream_of(pa.record_batch({"outcome": pa.array([], "string")})),
    )
    head = len(schema.serialize())
    return write_all(output, data[:head] + data[head:-8] * 500 + data[-8:])


def two_schemas(output: BinaryIO) -> bytes:
    schema = pa.schema([("outcome", pa.string())]).serialize().to_pybytes()
    return write_all(output, schema + schema)


def a_tensor(output: BinaryIO) -> bytes:
    schema = pa.schema([("outcome", pa.string())]).serialize().to_pybytes()
    sink = pa.BufferOutputStream()
    pa.ipc.write_tensor(pa.Tensor.from_numpy(np.zeros(8)), sink)
    return write_all(output, schema + sink.getvalue().to_pybytes())


def a_file_for_a_stream(output: BinaryIO) -> bytes:
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"outcome": ["x"]})
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return write_all(output, sink.getvalue().to_pybytes())
