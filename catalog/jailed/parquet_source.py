"""An owner's Parquet as Arrow batches of text; what its footer announces is bounded before anything is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
from pyarrow import compute, parquet

from catalog.jailed.csv_source import tidy
from catalog.jailed.refused import Refused

_BATCH_ROWS = 131_072
_MAX_COLUMNS = 4_096
_FLAT = (
    pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_date,
    pa.types.is_timestamp, pa.types.is_string, pa.types.is_large_string, pa.types.is_null,
)  # fmt: skip


class ParquetSource:
    """Opens the footer only. `wanted` None: every column.

    Raises Refused for a file that is broken, too large, or twice names a column.
    """

    encoding, delimiter = "", ""

    def __init__(
        self,
        file: BinaryIO,
        wanted: Sequence[str] | None,
        *,
        max_bytes: int,
        max_rows: int,
        max_row_group_bytes: int,
    ) -> None:
        try:
            self.file = parquet.ParquetFile(
                file, thrift_string_size_limit=2**24, thrift_container_size_limit=2**20
            )
            schema = self.file.schema_arrow
        except (pa.ArrowException, OSError) as e:
            raise Refused("ingest.parquet_broken") from e
        self._bound(max_bytes, max_rows, max_row_group_bytes)
        names = [tidy(n) for n in schema.names]
        wanted = names if wanted is None else wanted
        absent = [n for n in wanted if n not in names]
        if absent:
            raise Refused("ingest.columns_absent", names=absent)
        twice = [n for n in wanted if names.count(n) > 1]
        if twice:
            raise Refused("ingest.columns_twice", columns=", ".join(twice))
        self.wanted = tuple(wanted)
        self.raw_names = [schema.names[names.index(n)] for n in wanted]
        for name in self.raw_names:
            if not any(is_kind(_value_type(schema.field(name).type)) for is_kind in _FLAT):
                raise Refused("ingest.parquet_nested", column=tidy(name))

    def _bound(self, max_bytes: int, max_rows: int, max_row_group_bytes: int) -> None:
        meta = self.file.metadata
        if meta.num_columns > _MAX_COLUMNS:
            raise Refused("ingest.too_many_columns", columns=meta.num_columns, max=_MAX_COLUMNS)
        if meta.num_rows > max_rows:
            raise Refused("ingest.too_many_rows", max_rows=max_rows)
        sizes = [meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)]
        if sum(sizes) > max_bytes or any(s < 0 for s in sizes):
            raise Refused("ingest.too_large", max_bytes=max_bytes)
        if sizes and max(sizes) > max_row_group_bytes:
            raise Refused("ingest.row_group_too_large", max_bytes=max_row_group_bytes)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order, each a dictionary of texts."""
        try:
            for batch in self.file.iter_batches(_BATCH_ROWS, columns=self.raw_names, use_threads=False):
                columns = [_text(batch.column(batch.schema.get_field_index(n))) for n in self.raw_names]
                yield pa.RecordBatch.from_arrays(columns, names=list(self.wanted))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
            raise Refused("ingest.parquet_broken") from e


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _text(array: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):  # 3.0 must still be read where whole numbers are meant
        array = compute.if_else(compute.is_finite(array), array, None)
    return array.cast(pa.string()).dictionary_encode()
