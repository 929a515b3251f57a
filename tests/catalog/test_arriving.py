"""What a jail sends may be anything: only flat columns that are what they say arrive."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from catalog.arriving import arriving, require_rows

WORDS = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int32()), pa.array(["a", "b"]))
FIRST = pa.array([0] * 1_100, pa.int32())
HONEST = pa.record_batch({"n": pa.array([1, None, 3]), "word": WORDS})


def stream_of(batch: pa.RecordBatch, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def read(data: bytes) -> list[pa.RecordBatch]:
    return list(arriving(io.BytesIO(data))[1])


def test_streams_arrive_one_after_the_other() -> None:
    stream = io.BytesIO(stream_of(HONEST) * 2 + b"rest")
    for _ in range(2):
        schema, batches = arriving(stream)
        assert (schema, list(batches)) == (HONEST.schema, [HONEST])
    assert stream.read() == b"rest"


@pytest.mark.parametrize(
    "hostile",
    [
        stream_of(pa.record_batch({"n": pa.array([0] * 10_000)}), "zstd"),
        stream_of(pa.record_batch({"w": pa.array(["x" * 10_000]).dictionary_encode()}), "lz4"),
        stream_of(pa.record_batch({"n": pa.nulls(1 << 30)})),
        stream_of(pa.record_batch({"n": pa.array([[]], pa.list_(pa.string()))})),
        stream_of(pa.record_batch({"n": pa.RunEndEncodedArray.from_arrays([1 << 30], ["x"])})),
        stream_of(pa.record_batch({"w": pa.DictionaryArray.from_arrays(FIRST, ["x" * (1 << 20)])})),
        stream_of(HONEST).replace(b"word", b"w\xffrd"),
        stream_of(HONEST)[:-100],
        stream_of(HONEST)[4:],
        b"\xff\xff\xff\xff\x10\x00\x00\x00" + b"\xff" * 16,
        b"rubbish" * 100,
    ],
    ids=[
        "compressed", "a compressed dictionary", "nulls", "lists", "runs", "texts that unfold", "a name", "cut",
        "of before 2019", "a head of nonsense", "rubbish",
    ],
)  # fmt: skip
def test_what_is_not_flat_and_whole_does_not_arrive(hostile: bytes) -> None:
    with pytest.raises((pa.ArrowException, OSError)):
        read(hostile)


def test_a_part_of_more_rows_than_its_jail_said_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    parquet.write_table(pa.table({"n": pa.repeat(7, 300_000), "word": pa.repeat("a", 300_000)}), path)
    assert require_rows(path, 300_000) == ["word"]
    with pytest.raises(pa.ArrowInvalid):
        require_rows(path, 3)
    parquet.write_table(pa.table({"n": pa.array([[1] * 100])}), path)
    with pytest.raises(pa.ArrowInvalid):
        require_rows(path, 1)
