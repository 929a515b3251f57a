"""Attacks on the broker: answers that are garbage, that lie, that are too much, that never end."""

from __future__ import annotations

import mmap
import os
import stat
import struct
from typing import BinaryIO

import msgspec
import pyarrow as pa

from sandbox.worker.wire import BATCH_ROWS

_ROWS = 77
_KINDS = {stat.S_IFSOCK: "socket", stat.S_IFIFO: "pipe", stat.S_IFREG: "file"}


def cell(output: BinaryIO, text: str) -> bytes:
    """The honest answer: one row with the column `outcome`."""
    return write_all(output, stream_of_text(text))


def stream_of_text(text: str) -> bytes:
    """One row with the column `outcome`."""
    return stream_of(pa.record_batch({"outcome": [text]}))


def stream_of(batch: pa.RecordBatch, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def write_all(output: BinaryIO, data: bytes) -> bytes:
    output.write(data)
    output.flush()
    return b""


def environment(output: BinaryIO) -> bytes:
    return cell(output, ",".join(sorted(os.environ)))


def descriptors(output: BinaryIO) -> bytes:
    """What is open: kind of each descriptor, and the first bytes of each that can be read as a file."""
    found = []
    for descriptor in range(1_024):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        text = os.pread(descriptor, 32, 0).decode(errors="replace") if stat.S_ISREG(mode) else ""
        kind = _KINDS.get(stat.S_IFMT(mode), "other")
        found.append(f"{kind}:{text.strip(chr(0))}")
    return cell(output, "|".join(found))


def garbage(output: BinaryIO) -> bytes:
    return write_all(output, os.urandom(4_096))


def nothing(output: BinaryIO) -> bytes:
    return b""


def zeroes(output: BinaryIO) -> bytes:
    return write_all(output, bytes(4_096))


def only_a_schema_cut_short(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": ["x"]}))[:40])


def cut_in_the_batch(output: BinaryIO) -> bytes:
    data = stream_of(pa.record_batch({"outcome": ["x" * 1_000]}))
    return write_all(output, data[: len(data) - 600])


def another_type(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": [1]})))


def another_name(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"person": ["x"]})))


def one_column_more(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": ["x"], "secret": ["y"]})))


def no_column(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({})))


def a_dictionary(output: BinaryIO) -> bytes:
    honest = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(["x"]))
    return write_all(output, stream_of(pa.record_batch({"outcome": honest})))


def a_dictionary_with_wrong_indices(output: BinaryIO) -> bytes:
    wrong = pa.DictionaryArray.from_arrays(pa.array([9], pa.int32()), pa.array(["x"]), safe=False)
    return write_all(output, stream_of(pa.record_batch({"outcome": wrong})))


def _strings(offsets: list[int], data: bytes) -> pa.RecordBatch:
    packed = struct.pack(f"<{len(offsets)}i", *offsets)
    array = pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, pa.py_buffer(packed), pa.py_buffer(data)])
    return pa.record_batch({"outcome": array})


def not_utf8(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(_strings([0, 4], b"\xff\xfe\xfd\xfc")))


def offsets_that_go_back(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(_strings([0, 4, 2, 4], b"abcd")))


def offsets_beyond_the_data(output: BinaryIO) -> bytes:
    marker = 123_456
    honest = stream_of(_strings([0, marker], b"x" * marker))
    return write_all(output, honest.replace(struct.pack("<ii", 0, marker), struct.pack("<ii", 0, 1 << 30)))


def _rows_replaced(output: BinaryIO, rows: int) -> bytes:
    honest = stream_of(pa.record_batch({"outcome": ["x"] * _ROWS}))
    return write_all(output, honest.replace(struct.pack("<q", _ROWS), struct.pack("<q", rows)))


def more_rows_than_there_are(output: BinaryIO) -> bytes:
    return _rows_replaced(output, 1 << 40)


def fewer_rows_than_none(output: BinaryIO) -> bytes:
    return _rows_replaced(output, -1)


def compressed(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": ["x" * 4_096]}), "lz4"))


def a_compressed_bomb(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": ["x" * (64 << 20)]}), "zstd"))


def too_many_rows(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": ["x"] * 101})))


def too_many_rows_in_many_batches(output: BinaryIO) -> bytes:
    batch = pa.record_batch({"outcome": ["x"] * BATCH_ROWS})
    with pa.ipc.new_stream(pa.PythonFile(output, mode="w"), batch.schema) as writer:
        for _ in range(3):
            writer.write_batch(batch)
    output.flush()
    return b""


def too_many_elements(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": pa.array([["x"] * 100])})))


def too_many_elements_deep_down(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": pa.array([[["x"] * 50, ["x"] * 50]])})))


def too_many_bytes(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": ["x" * 70_000]})))


def one_text_for_many_records(output: BinaryIO) -> bytes:
    return write_all(output, stream_of(pa.record_batch({"outcome": ["x" * 60_000]})))


_NO_LISTS = pa.array([[]], pa.list_(pa.list_(pa.string())))
"""A row with no list: of the lists in it Arrow checks nothing, and has ended whoever looked at them."""


def lists_of_nothing_that_begin_beyond_it(output: BinaryIO) -> bytes:
    data = bytearray(stream_of(pa.record_batch({"outcome": _NO_LISTS})))
    place = len(data) - 24  # before the last words of the stream, and where the texts begin
    assert data[place : place + 8] == bytes(8)
    struct.pack_into("<i", data, place, 1 << 20)
    return write_all(output, bytes(data))


def lists_of_nothing_that_begin_nowhere(output: BinaryIO) -> bytes:
    data = stream_of(pa.record_batch({"outcome": _NO_LISTS}))
    assert data.count(struct.pack("<qq", 8, 4)) == 1
    return write_all(output, data.replace(struct.pack("<qq", 8, 4), struct.pack("<qq", 8, 0)))


def shared_memory_kept(output: BinaryIO) -> bytes:
    """Keep a mapping through which the answer could change while the broker reads it."""
    try:
        globals()["kept"] = mmap.mmap(output.fileno(), 0)
    except PermissionError:
        return cell(output, "stopped")
    return cell(output, "kept")


def broker() -> int:
    """The descriptor on which the child speaks with the broker."""
    return next(d for d in range(3, 1_024) if _is_socket(d))


def _is_socket(descriptor: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _say(head: bytes, body: bytes = b"") -> bytes:
    os.write(broker(), struct.pack("<I", len(head)) + head + body)
    while True:
        os.read(broker(), 1)


def reply(outcome: object, body_bytes: object, written: object) -> bytes:
    return msgspec.msgpack.encode((outcome, body_bytes, written, 0))


def a_reply_that_is_no_message(output: BinaryIO) -> bytes:
    return _say(b"\xc1\xc1\xc1")


def a_reply_with_an_unknown_word(output: BinaryIO) -> bytes:
    return _say(reply("<script>", 0, 0))


def a_reply_without_end(output: BinaryIO) -> bytes:
    os.write(broker(), struct.pack("<I", 0xFFFFFFFF))
    while True:
        os.write(broker(), bytes(65_536))


def half_a_reply(output: BinaryIO) -> bytes:
    os.write(broker(), struct.pack("<I", 100) + b"half")
    while True:
        os.read(broker(), 1)


def a_reply_longer_than_its_answer(output: BinaryIO) -> bytes:
    cell(output, "x")
    return _say(reply("done", 0, 1 << 50))


def a_reply_of_less_than_nothing(output: BinaryIO) -> bytes:
    return _say(reply("done", 0, -5))


def a_body_larger_than_allowed(output: BinaryIO) -> bytes:
    return _say(reply("done", 1 << 40, 10))


def hang_up(output: BinaryIO) -> bytes:
    os.close(broker())
    while True:
        os.read(output.fileno(), 0)


def work_on_after_the_reply(output: BinaryIO) -> bytes:
    cell(output, "answered")
    head = reply("done", 0, output.tell())
    os.write(broker(), struct.pack("<I", len(head)) + head)
    while True:
        pass
