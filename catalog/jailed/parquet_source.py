"""An owner's Parquet as Arrow batches of text; what its footer announces is bounded before anything is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from catalog.jailed.header import absent_or_twice, tidy
from catalog.jailed.refused import Refused, shown
from catalog.jailed.rejected import Skipped
from catalog.jailed.totals import Totals

_BATCH_ROWS = 131_072
_MAX_COLUMNS = 4_096
_THRIFT = {"thrift_string_size_limit": 2**24, "thrift_container_size_limit": 2**20}
_FLAT = (
    pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_date,
    pa.types.is_timestamp, pa.types.is_string, pa.types.is_large_string, pa.types.is_null,
)  # fmt: skip


class ParquetSource:
    """Opens the footer only. `wanted` None: every column.

    Raises Refused for a file that is broken, too large, or twice names a column.
    """

    encoding, delimiter, kind, header_row, header_rows, formula_errors = "", "", "parquet", 0, 0, 0

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
            self.file = parquet.ParquetFile(file, **_THRIFT)
            schema = self.file.schema_arrow
        except (pa.ArrowException, OSError) as e:
            raise Refused("ingest.parquet_broken") from e
        self._bound(max_bytes, max_rows, max_row_group_bytes)
        names = [tidy(n) for n in schema.names]
        wanted = names if wanted is None else wanted
        absent_or_twice(names, wanted)
        self.skipped, self.totals = Skipped("ingest.row_fields", first=1), Totals()
        self.wanted = tuple(wanted)
        self.raw_names = [schema.names[names.index(n)] for n in wanted]
        for name in self.raw_names:
            if not any(is_kind(_value_type(schema.field(name).type)) for is_kind in _FLAT):
                raise Refused("ingest.parquet_nested", column=shown([tidy(name)]))
        texts = [n for n in self.raw_names if pa.types.is_string(schema.field(n).type)]
        self.file = parquet.ParquetFile(file, read_dictionary=texts, **_THRIFT)

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
        """Batches with the wanted columns in their order: texts as dictionaries, the others as they are."""
        try:
            for batch in self.file.iter_batches(_BATCH_ROWS, columns=self.raw_names, use_threads=False):
                columns = [_of_the_batch(batch.column(batch.schema.get_field_index(n))) for n in self.raw_names]
                yield pa.RecordBatch.from_arrays(columns, names=list(self.wanted))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
            raise Refused("ingest.parquet_broken") from e


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _of_the_batch(array: pa.Array) -> pa.Array:
    """Text as a dictionary of what the batch holds, not of what its whole row group does."""
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string(array.type.value_type) and len(array.dictionary) <= 2 * len(array):
            return array
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_null(array.type):
        array = array.cast(pa.string())
    return array.dictionary_encode() if pa.types.is_string(array.type) else array
