"""The first jail: an owner's file becomes typed Arrow batches. Nothing is hashed here and no key is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import msgspec
import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.jailed.apart import Apart
from catalog.jailed.cells import ARROW, Cells
from catalog.jailed.loaded import LOADED
from catalog.jailed.opening import Source, open_sources, source_names
from catalog.jailed.refused import Refused, shown
from catalog.jailed.rejected import Rejected, lines_of
from catalog.jailed.rolling import Rolling
from catalog.jailed.totals import sums_up
from catalog.wire import REJECTED, IngestColumn, IngestOrder, IngestReply

assert LOADED  # imported for what importing it does

_CHUNK_ROWS = 131_072
_Wrong = tuple[IngestColumn, str, Ints]
"""A column, why cells of it are rejected, and in which rows of a batch."""
See = Callable[[pa.RecordBatch], None]


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read the inputs as the IngestOrder says; write an Arrow IPC stream. Returns an IngestReply.

    A second stream follows, with the places of rows that are rejected (`wire.REJECTED`).
    """
    order = msgspec.msgpack.decode(payload, type=IngestOrder)
    try:
        reply = ingest(order, inputs, output)
    except Refused as refused:
        reply = IngestReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def ingest(order: IngestOrder, inputs: Sequence[int], output: BinaryIO, see: See | None = None) -> IngestReply:
    """Write the columns of the order as an Arrow IPC stream; `see` sees each batch as it stands in the file.

    Raises Refused.
    """
    reader = _Reader(order, see)
    with pa.ipc.new_stream(output, stream_schema(order)) as writer:
        rolling = Rolling(order) if order.rolling is not None else None
        for arrays in reader.rows(inputs):
            if rolling is not None:
                rolling.take(arrays)
            else:
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=stream_schema(order)))
        reader.require_readable()
        rows = reader.kept
        if rolling is not None:
            rows = 0
            for table in rolling.tables():
                rows += table.num_rows
                writer.write_table(table.cast(stream_schema(order)), max_chunksize=_CHUNK_ROWS)
    with pa.ipc.new_stream(output, REJECTED) as writer:
        for batch in reader.rejected.batches():
            writer.write_batch(batch)
    first = reader.first
    assert first is not None  # there are rows
    return IngestReply(
        rows=rows, events=reader.kept if rolling else 0, rejected=reader.rejected.rows, format=first.kind,
        encoding=first.encoding, delimiter=first.delimiter, header_row=first.header_row,
    )  # fmt: skip


class _Reader:
    """Reads all files of an order; what is wrong is collected until it is too much."""

    def __init__(self, order: IngestOrder, see: See | None) -> None:
        self.order, self.see = order, see
        null_words = pa.array([*order.null_words, ""], pa.string())
        self.cells = [Cells(column, null_words, order.reading) for column in order.columns]
        self.place = {name: i for i, name in enumerate(source_names(order))}
        self.rejected = Rejected(order)
        self.apart = Apart(order)
        self.kept = 0
        self.first: Source | None = None

    def rows(self, inputs: Sequence[int]) -> Iterator[list[pa.Array]]:
        """The order's columns of each batch, typed, without the rows that are rejected."""
        for number, source in enumerate(open_sources(self.order, inputs), 1):
            self.first = self.first or source
            read = 0
            for batch in _ahead(source.batches()):
                if self.see is not None:
                    self.see(batch)
                arrays, bad = self._converted(batch, number, source, read)
                read += batch.num_rows
                self.kept += batch.num_rows - len(bad)
                if self.kept + self.rejected.rows > self.order.max_rows:
                    raise Refused("ingest.too_many_rows", max_rows=self.order.max_rows)
                self.apart.take(arrays, bad)
                if len(bad):
                    arrays = _without(arrays, bad)
                if self.order.reading.max_rejected_share or not (self.rejected.rows or source.skipped.count):
                    yield arrays
            self.rejected.skipped(number, source.skipped)

    def _converted(
        self, batch: pa.RecordBatch, number: int, source: Source, read: int
    ) -> tuple[list[pa.Array], Ints]:
        """Typed columns, and the rows of the batch that are rejected."""
        arrays: list[pa.Array] = []
        wrong: list[_Wrong] = []
        totals = [source.totals.within(read, batch.num_rows)] if self.order.persons else []
        told: set[tuple[str, str]] = set()  # several columns of an order may read one of the file
        for cells in self.cells:
            column = cells.column
            values, bad = cells.convert(batch.column(self.place[column.reads]))
            arrays.append(values)
            if column.required:
                totals.append(sums_up(values))
            if len(bad) and (column.reads, column.type) not in told:
                told.add((column.reads, column.type))
                wrong.append((column, cells.reason, bad))
            if column.required and values.null_count:
                bad = np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))
                wrong.append((column, "ingest.row_subject", bad))
        return arrays, self._rejected(wrong, totals, number, source, read)

    def _rejected(self, wrong: list[_Wrong], totals: list[Ints], number: int, source: Source, read: int) -> Ints:
        """Notes why rows of a batch are rejected; their places. Raises Refused for totals that nobody allowed."""
        summing = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *totals]))
        if len(summing):
            numbers = source.skipped.numbers(summing + read)
            if not self.order.reading.max_rejected_share:
                raise Refused("ingest.total_row", lines=shown(lines_of(number, numbers)))
            self.rejected.row(number, numbers, "ingest.row_total")
        for column, reason, places in wrong:
            # What else is wrong with a row of totals is no news.
            others = np.setdiff1d(places, summing)
            self.rejected.cell(number, source.skipped.numbers(others + read), column, reason)
        bad: Ints = np.unique(np.concatenate([summing, *(places for _, _, places in wrong)]))
        self.rejected.rows += len(bad)
        return bad

    def require_readable(self) -> None:
        """Raises Refused where too much is rejected, a number can mean two things, or there is nothing."""
        self.rejected.require_few(self.kept)
        self.apart.require()
        unclear = [cells.column.reads for cells in self.cells if cells.style.is_unclear]
        if unclear:
            raise Refused("ingest.decimal_unclear", names=unclear)
        if not self.kept:
            raise Refused("ingest.no_rows")


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The next one is read while this one is worked on."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _without(arrays: list[pa.Array], bad: Ints) -> list[pa.Array]:
    keep = np.ones(len(arrays[0]), dtype=bool)
    keep[bad] = False
    mask = pa.array(keep)
    return [array.filter(mask) for array in arrays]


def stream_schema(order: IngestOrder) -> pa.Schema:
    """What the stream promises: text dictionary-encoded, everything else plain."""
    text = pa.dictionary(pa.int32(), pa.string())
    kinds = [(c.name, c.type) for c in order.columns]
    if order.rolling is not None:
        rolled = order.rolling
        kinds = [(r.name, r.type) for r in rolled.rolls]
        kinds += [(rolled.key, "VARCHAR"), *((flag, "BOOLEAN") for flag in rolled.flags)]
    return pa.schema([(name, text if kind == "VARCHAR" else ARROW[kind]) for name, kind in kinds])
