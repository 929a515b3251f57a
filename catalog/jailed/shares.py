"""Rows dealt into shares, all of a person's into one: what is done share by share needs room for one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from catalog.pii.singling import hashed

WHOLE_ROWS: Final = 1_000_000
"""Up to so many are one share, in their own order."""
_SHARES: Final = 32


class Shares:
    """Takes batches of one schema; texts, the key's too, are dictionaries of their batch."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.rows = 0
        self.whole: list[pa.RecordBatch] = []
        self.dealt: list[list[pa.RecordBatch]] = [[] for _ in range(_SHARES)]

    def take(self, batch: pa.RecordBatch) -> None:
        """One batch more."""
        self.rows += batch.num_rows
        self.whole.append(batch)
        if self.rows > WHOLE_ROWS:
            while self.whole:
                self._deal(self.whole.pop(0))

    def each(self) -> Iterator[pa.Table]:
        """Every share that has rows, and forgets it: a person's rows stand in the order in which they came."""
        for batches in (self.whole, *self.dealt):
            if batches:
                table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
                batches.clear()
                yield table

    def _deal(self, batch: pa.RecordBatch) -> None:
        key = batch.column(self.key)
        # A key that is missing is nobody's: these rows may stand in any share, if it is one.
        of = np.append(hashed(key.dictionary), np.uint64(0)) % np.uint64(_SHARES)
        share = of[key.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)]
        by = np.argsort(share, kind="stable")
        ends = np.searchsorted(share[by], np.arange(_SHARES + 1))
        for number, rows in enumerate(self.dealt):
            mine = by[ends[number] : ends[number + 1]]
            if len(mine):
                columns = [_own(column.take(pa.array(mine))) for column in batch.columns]
                rows.append(pa.RecordBatch.from_arrays(columns, schema=batch.schema))


def _own(column: pa.Array) -> pa.Array:
    """Text with a dictionary of its own where the batch's is the larger one: it would be kept for a few rows."""
    if not pa.types.is_dictionary(column.type) or len(column.dictionary) <= len(column):
        return column
    return column.dictionary_decode().dictionary_encode()
