"""Reading an answer that may lie: what is accepted is exactly what the plan said, whatever the bytes."""

from __future__ import annotations

import io
import struct

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.isolation.answer import arrow_type, copy_answer
from sandbox.job import Limits, OutputColumn, SandboxFailed
from sandbox.worker import query
from sandbox.worker.wire import BATCH_ROWS

COLUMNS = (OutputColumn(name="n", type="BIGINT"), OutputColumn(name="t", type="VARCHAR[]"))
SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.list_(pa.string()))])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "t": st.none() | st.lists(st.none() | st.text(max_size=5), max_size=3),
        }
    ),
    max_size=20,
)


def stream_of(rows: list[dict[str, object]], schema: pa.Schema = SCHEMA) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema))
    data: bytes = sink.getvalue().to_pybytes()
    return data


def read_answer(data: bytes, columns: tuple[OutputColumn, ...], limits: Limits) -> tuple[bytes, int, int]:
    sink = io.BytesIO()
    size = copy_answer(data, columns, limits, sink)
    return sink.getvalue(), *size


@given(ROWS)
def test_an_honest_answer_comes_out_as_it_went_in(rows: list[dict[str, object]]) -> None:
    stream, count, _ = read_answer(stream_of(rows), COLUMNS, Limits())
    table = pa.ipc.open_stream(stream).read_all()
    assert (table.to_pylist(), count) == (rows, len(rows))
    assert table.schema == SCHEMA


@given(ROWS, st.integers(0, 100_000), st.binary(min_size=1, max_size=8))
def test_changed_bytes_are_refused_or_still_a_valid_answer(
    rows: list[dict[str, object]], position: int, bytes_: bytes
) -> None:
    data = bytearray(stream_of(rows))
    start = position % len(data)
    data[start : start + len(bytes_)] = bytes_
    try:
        stream, count, _ = read_answer(bytes(data), COLUMNS, Limits())
    except SandboxFailed:
        return
    table = pa.ipc.open_stream(stream).read_all()
    table.validate(full=True)
    assert (table.schema, table.num_rows) == (SCHEMA, count)


@given(ROWS, st.integers(0, 200))
def test_rows_with_their_list_elements_never_exceed_the_limit(rows: list[dict[str, object]], limit: int) -> None:
    held = len(rows) + sum(len(row["t"]) for row in rows if isinstance(row["t"], list))
    if held <= limit:
        assert read_answer(stream_of(rows), COLUMNS, Limits(max_rows=limit))[1] == len(rows)
    else:
        with pytest.raises(SandboxFailed, match="too_many_rows"):
            read_answer(stream_of(rows), COLUMNS, Limits(max_rows=limit))


def test_a_row_that_carries_many_records_counts_as_many() -> None:
    """Else list(…) and string_agg(…) would take a table out row by row, past the cap of its agreement."""
    named = (OutputColumn(name="a", type="VARCHAR"), OutputColumn(name="t", type="VARCHAR[]"))
    schema = pa.schema([("a", pa.string()), ("t", pa.list_(pa.string()))])
    rows: list[dict[str, object]] = [
        {"a": "x" * 100, "t": []}, {"a": "x" * 1100, "t": ["y", None, "y" * 120]}, {"a": None, "t": None},
    ]  # fmt: skip
    assert read_answer(stream_of(rows, schema), named, Limits())[1:] == (3, 3 + 100 + 3 + 2)
    with pytest.raises(SandboxFailed, match="too_many_rows"):
        read_answer(stream_of(rows, schema), named, Limits(max_rows=107))


def test_values_beyond_those_of_a_record_count_as_records() -> None:
    """Else one row of 500 columns would carry 500 records, each packed into a short text or a number."""
    named = tuple(OutputColumn(name=f"c{i}", type="BIGINT") for i in range(20))
    stream = stream_of([{c.name: 1 for c in named}] * 3, pa.schema([(c.name, pa.int64()) for c in named]))
    assert [read_answer(stream, named, Limits(values_a_record=n))[2] for n in (None, 20, 16)] == [3, 3, 3 * 5]


def test_what_threads_find_row_by_row_arrives_in_few_batches() -> None:
    """Else a batch a row would cost its reader a thousand times what its values do."""
    sizes = (0, 1, BATCH_ROWS - 2, 1, BATCH_ROWS, 0, 3)
    found = [pa.record_batch({"n": pa.array(range(size), pa.int64())}) for size in sizes]
    batches = list(query._full(found))
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 3]
    assert pa.Table.from_batches(batches) == pa.Table.from_batches(found)


def test_what_no_schema_names_does_not_leave() -> None:
    secret = SCHEMA.with_metadata({"secret": "cell"})
    stream, _, _ = read_answer(stream_of([], secret) + b"cell after the end", COLUMNS, Limits())
    assert b"cell" not in stream


def _texts(offsets: tuple[int, ...], data: bytes, valid: bytes | None) -> pa.Array:
    packed = pa.py_buffer(struct.pack(f"<{len(offsets)}i", *offsets))
    mask = None if valid is None else pa.py_buffer(valid)
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [mask, packed, pa.py_buffer(data)])


@pytest.mark.parametrize(
    "hidden",
    [
        _texts((6, 9), b"secretabcsecret", None),
        _texts((0, 3, 9), b"abcsecret", b"\x01"),
        pa.Array.from_buffers(
            pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(struct.pack("<q8s", 1, b"secret!!"))]
        ),
        pa.Array.from_buffers(
            pa.list_(pa.string()), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(struct.pack("<3i", 0, 0, 1))],
            children=[pa.array(["secret"])],
        ),
    ],
    ids=["around the texts", "a text under a null", "a number under a null", "a list under a null"],
)  # fmt: skip
def test_what_lies_where_no_value_is_does_not_leave(hidden: pa.Array) -> None:
    types = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.list_(pa.string()): "VARCHAR[]"}
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"a": hidden})
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    given_stream = sink.getvalue().to_pybytes()
    assert b"secret" in given_stream
    stream, _, _ = read_answer(given_stream, (OutputColumn(name="a", type=types[hidden.type]),), Limits())
    assert b"secret" not in stream
    assert pa.ipc.open_stream(stream).read_all()["a"].to_pylist() == hidden.to_pylist()


@pytest.mark.parametrize("name", ["BLOB", "INTERVAL", "DECIMAL(9,0)x", "STRUCT(a INTEGER)", "JSON"])
def test_a_type_that_may_not_leave_has_no_arrow_type(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        arrow_type(name)
