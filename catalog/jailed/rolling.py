"""Several rows a person become one: runs in the first jail, before anybody is hashed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.jailed.cells import ARROW
from catalog.jailed.shares import Shares
from catalog.wire import IngestOrder, Roll

_WHOLE = 2.0**53
"""Sums of whole numbers are exact below it, and held there."""


class Rolling:
    """Takes batches of rows; gives tables with a row a person: all of them in one, or share by share.

    Within a table persons stand in the order in which they first came.
    """

    def __init__(self, order: IngestOrder) -> None:
        assert order.rolling is not None  # else there is nothing to roll up
        self.rolling = order.rolling
        # Of columns that read the same in the same way one is kept, and found under each name.
        kept: dict[tuple[str, str, str | None], int] = {}
        alike = {c.name: kept.setdefault((c.reads, c.type, c.format), i) for i, c in enumerate(order.columns)}
        self.places = sorted(kept.values())
        self.names = [order.columns[place].name for place in self.places]
        self.place = {name: self.places.index(place) for name, place in alike.items()}
        self.shares = Shares(self.names[self.place[order.rolling.key]])

    def take(self, arrays: list[pa.Array]) -> None:
        kept = [arrays[place] for place in self.places]
        self.shares.take(pa.RecordBatch.from_arrays(kept, names=self.names))

    def tables(self) -> Iterator[pa.Table]:
        """Columns as the rolls name them, then the subject key and the flags."""
        for share in self.shares.each():
            yield self._table({name: share.column(place).combine_chunks() for name, place in self.place.items()})

    def _table(self, rows: dict[str, pa.Array]) -> pa.Table:
        key = rows[self.rolling.key]
        # Whoever has no key is one person more, whom the broker refuses.
        names = pa.concat_arrays([key.dictionary, pa.nulls(1, pa.string())])
        of = key.indices.fill_null(len(key.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
        people, first, of = np.unique(of, return_index=True, return_inverse=True)
        rank = np.empty(len(people), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(people))
        of, people = rank[of], people[np.argsort(first)]
        told = {roll.name: _rolled(roll, rows, of, len(people)) for roll in self.rolling.rolls}
        told[self.rolling.key] = names.take(pa.array(people)).dictionary_encode()
        for flag in self.rolling.flags:
            said = rows[flag].fill_null(fill_value=False)
            told[flag] = _grouped(said, of, len(people), "all")
        return pa.table(told)


def _rolled(roll: Roll, rows: dict[str, pa.Array], of: Ints, people: int) -> pa.Array:
    kind = pa.dictionary(pa.int32(), pa.string()) if roll.type == "VARCHAR" else ARROW[roll.type]
    if roll.take == "count" and not roll.value:
        return pa.array(np.bincount(of, minlength=people), kind)
    values = rows[roll.value]
    if roll.take == "last":
        place = _last(values, rows[roll.by], of, people)
        return values.take(pa.array(place, mask=place < 0)).cast(kind)
    if roll.take == "distinct" and pa.types.is_dictionary(values.type):
        values = values.indices
    if roll.take == "sum":
        told = _grouped(values.cast(pa.float64(), safe=False), of, people, "sum")
        if roll.type == "BIGINT":
            whole = compute.max_element_wise(compute.min_element_wise(told, _WHOLE, skip_nulls=False), -_WHOLE,
                                             skip_nulls=False)  # fmt: skip
            return whole.cast(kind, safe=False)
        return told
    return _grouped(values, of, people, _CALLED[roll.take]).cast(kind)


_CALLED = {"count": "count", "distinct": "count_distinct", "min": "min", "max": "max", "any": "any"}


def _grouped(values: pa.Array, of: Ints, people: int, name: str) -> pa.Array:
    """One value a person. Empty cells are left out; who has nothing else has none."""
    options: Any = compute.CountOptions(mode="only_valid") if name.startswith("count") else (
        compute.ScalarAggregateOptions(skip_nulls=True, min_count=1))  # fmt: skip
    table = pa.table({"person": pa.array(of), "value": values})
    found = table.group_by("person", use_threads=False).aggregate([("value", name, options)]).sort_by("person")
    assert found.num_rows == people
    return found.column(f"value_{name}").combine_chunks()


def _last(values: pa.Array, instants: pa.Array, of: Ints, people: int) -> Ints:
    """Of each person the row that holds the last value, −1 for none."""
    comparable = compute.rank(values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values,
                              tiebreaker="dense")  # fmt: skip
    valid = [a.is_valid().to_numpy(zero_copy_only=False) for a in (values, instants)]
    there = np.flatnonzero(valid[0] & valid[1])
    at = instants.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)[there]
    rank = comparable.to_numpy(zero_copy_only=False)[there]
    by = np.lexsort((rank, at, of[there]))
    place = np.full(people, -1, dtype=np.int64)
    place[of[there][by]] = there[by]  # of several the last stays
    return place
