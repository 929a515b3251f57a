"""A table that nobody described: its types are found, its cells are kept, and hostile files are refused."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.errors import PublicationRefused
from catalog.jailed import own
from catalog.limits import IngestLimits
from catalog.own import _Taker, read_own
from catalog.wire import IngestOrder, OwnReply
from sandbox.job import Column
from tests.catalog.test_sources import zipped
from tests.examples import tried

LIMITS = IngestLimits(max_rows=10_000, max_bytes=2_000_000, max_row_group_bytes=2_000_000, deadline_ms=60_000)
ORDER = IngestOrder(columns=(), null_words=(), max_rows=10_000, max_bytes=2_000_000, max_row_group_bytes=2_000_000)


def _typed(content: bytes) -> tuple[OwnReply, pa.Table | None]:
    """The jailed program as a function: what it replies, and what it wrote."""
    output = io.BytesIO()
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        reply = msgspec.msgpack.decode(
            own.main(msgspec.msgpack.encode(ORDER), [file.fileno()], cast(BinaryIO, output)), type=OwnReply
        )
    table = pa.ipc.open_stream(output.getvalue()).read_all() if reply.refusal is None else None
    return reply, table


def _types(content: bytes) -> dict[str, str]:
    reply, _ = _typed(content)
    assert reply.refusal is None, reply.refusal
    return {column.name: column.type for column in reply.columns}


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def test_each_column_gets_the_narrowest_type_and_a_code_stays_text() -> None:
    text = (
        "mã,số,tỉ lệ,ngày,lúc,chữ,trống\n"
        "01,1,0.5,31/12/2025,2025-01-02T03:04:05,a,\n"
        "10,-20,3,01/01/2026,2025-01-02 03:04,2025-01-01,\n"
    )
    assert _types(text.encode()) == {
        "mã": "VARCHAR", "số": "BIGINT", "tỉ lệ": "DOUBLE", "ngày": "DATE", "lúc": "TIMESTAMP", "chữ": "VARCHAR",
        "trống": "VARCHAR",
    }  # fmt: skip


def test_a_type_that_one_cell_far_below_breaks_is_not_taken() -> None:
    rows = ["n", *map(str, range(9_000)), "x"]
    assert _types("\n".join(rows).encode()) == {"n": "VARCHAR"}


@pytest.mark.parametrize(
    ("cells", "type"),
    [
        (["9" * 20, "9" * 19 + "8"], "VARCHAR"),
        (["12345678901234567", "0.5"], "VARCHAR"),
        (["123456789012345", "0.5"], "DOUBLE"),
        (["9007199254740993"], "BIGINT"),
    ],
)
def test_codes_too_long_for_a_number_stay_apart(cells: list[str], type: str) -> None:
    """As numbers with a point two of them would be one, and would join what does not belong together."""
    reply, table = _typed("\n".join(["code", *cells]).encode())
    assert reply.columns[0].type == type
    assert table is not None
    assert len(set(table.column("code").to_pylist())) == len(cells)


@settings(max_examples=tried(20), deadline=None)
@given(
    st.lists(
        st.one_of(
            st.integers(-(2**63), 2**63 - 1).map(str),
            st.integers(0, 99).map("{:03d}".format),
            st.floats(allow_nan=False, allow_infinity=False).map(repr),
            st.dates().map(str),
            st.sampled_from(["", "x", "1e999", "9" * 30, "2025-13-01", "-", ".", "+1"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_the_cells_are_the_table_is_typed_and_no_cell_is_lost(cells: list[str]) -> None:
    reply, table = _typed("\n".join(["beside,c", *(f"b,{cell}" for cell in cells)]).encode())
    assert reply.refusal is None, reply.refusal
    assert table is not None
    assert [value is None for value in table.column("c").to_pylist()] == [cell == "" for cell in cells]
    if reply.columns[1].type == "VARCHAR":
        assert table.column("c").to_pylist() == [cell or None for cell in cells]


def test_parquet_keeps_its_types() -> None:
    table = pa.table({"a": pa.array([1, 2], pa.int32()), "b": [True, None], "c": ["01", "1"], "d": [0.5, 1.0]})
    assert _types(_parquet(table)) == {"a": "BIGINT", "b": "BOOLEAN", "c": "VARCHAR", "d": "DOUBLE"}


def _twice() -> bytes:
    return b"a,A\n1,2\n"


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "ingest.empty"),
    "a header only": (lambda: b"a,b\n", "ingest.no_rows"),
    "a spreadsheet": (lambda: b"PK\x03\x04" + bytes(50), "ingest.workbook_broken"),
    "names that SQL cannot tell apart": (_twice, "ingest.columns_twice"),
    "a column without a name": (lambda: b"a,\n1,2\n", "ingest.column_name"),
    "a name with a control character": (lambda: b"a\x07,b\n1,2\n", "ingest.column_name"),
    "ten thousand columns": (lambda: ",".join(map("c{}".format, range(10_000))).encode() + b"\n",
                             "ingest.too_many_columns"),
    "ragged": (lambda: b"a,b\n1,2,3\n", "ingest.ragged"),
    "a gzip bomb": (lambda: gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000), "ingest.too_large"),
    "too many rows": (lambda: b"a\n" + b"1\n" * 10_001, "ingest.too_many_rows"),
    "Parquet cut off": (lambda: _parquet(pa.table({"a": [1]}))[:-20], "ingest.parquet_broken"),
    "Parquet with lists": (lambda: _parquet(pa.table({"a": [[1]]})), "ingest.parquet_nested"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_with_a_plain_reason(make: Callable[[], bytes], code: str) -> None:
    reply, _ = _typed(make())
    assert reply.refusal is not None
    assert reply.refusal.code == code


def test_through_the_jail_it_becomes_one_parquet_file_with_the_same_cells() -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write("mã,n\n01,1\n02,\n".encode())
        file.flush()
        found = read_own(file, limits=LIMITS, max_body_bytes=1_000_000)  # type: ignore[arg-type]
        assert found.columns == (Column(name="mã", type="VARCHAR"), Column(name="n", type="BIGINT"))
        with tempfile.NamedTemporaryFile(suffix=".parquet") as body:
            body.write(found.body)
            body.flush()
            rows = duckdb.connect().execute(f"select * from '{body.name}'").fetchall()
            assert rows == [("01", 1), ("02", None)]
        with pytest.raises(PublicationRefused, match=r"ingest\.too_large"):
            read_own(file, limits=LIMITS, max_body_bytes=10)  # type: ignore[arg-type]


@pytest.mark.parametrize("lie", [b"", b"rubbish" * 100, b"\xff" * 1000])
def test_a_stream_that_is_no_arrow_is_not_taken_for_a_whole_table(lie: bytes) -> None:
    taker = _Taker(1_000)
    taker.take(io.BytesIO(lie))
    assert not taker.whole


def test_a_batch_whose_indices_point_nowhere_is_not_taken() -> None:
    wrong = pa.DictionaryArray.from_arrays(pa.array([0, 7], pa.int32()), pa.array(["a"]), safe=False)
    sink = io.BytesIO()
    batch = pa.RecordBatch.from_arrays([wrong], names=["a"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    taker = _Taker(1_000_000)
    taker.take(io.BytesIO(sink.getvalue()))
    assert not taker.whole


def test_files_of_one_archive_that_do_not_agree_are_refused_with_what_is_absent(
    tmp_path: Path,
) -> None:
    archive = tmp_path / "two.zip"
    archive.write_bytes(zipped(a__csv=b"x,y\n1,2\n", b__csv=b"x\n1\n"))
    with archive.open("rb") as file, pytest.raises(PublicationRefused) as refused:
        read_own(file, limits=LIMITS, max_body_bytes=1_000_000)
    assert (refused.value.code, refused.value.params) == ("ingest.columns_absent", {"columns": "y"})
