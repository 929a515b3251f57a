"""The finished files once more, a part at a time: do they hold what they must of each cohort, and nothing else?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from catalog.arriving import require_rows
from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.jailed.measures import DOMINANCE_SHARE, is_told
from catalog.jailed.mixing import mix
from catalog.making import Made, MadePart
from catalog.recheck.batch import fold, written_numbers
from catalog.recheck.broken import require
from catalog.recheck.persons import SALT, Content
from catalog.version import LEVELS
from catalog.wire import AnonymiseOrder
from sandbox.job import LEVEL

_LEVELS = pa.array(LEVELS, pa.string())


def check_files(order: AnonymiseOrder, made: Made, content: Content) -> None:
    """Raises PublicationRefused."""
    require(made.ranges[:, 0] == np.sort(made.ranges[:, 0]), "ranges")
    ends = np.searchsorted(made.ranges[:, 0], np.arange(len(made.parts) + 1))
    require(ends[-1] == len(made.ranges) and ends[0] == 0, "ranges")
    for part, begin, end in zip(made.parts, ends[:-1], ends[1:], strict=True):
        _check_part(order, part, made, content, slice(begin, end))


def _check_part(order: AnonymiseOrder, part: MadePart, made: Made, content: Content, cohorts: slice) -> None:
    ranges = made.ranges[cohorts]
    require(len(ranges) > 0 and part.rows == ranges[-1, 2], "ranges")
    require(ranges[:, 1] == np.concatenate([[0], ranges[:-1, 2]]), "ranges")
    length = ranges[:, 2] - ranges[:, 1]
    require(length == (content.size[cohorts] if order.mode == "rows" else 1), "persons")
    table = _read(part)
    named = {role: [c.name for c in order.columns if c.role == role] for role in ("quasi-identifier", "sensitive")}
    dimensions = [_numbers(table.column(name)) for name in named["quasi-identifier"]]
    require(fold(dimensions, table.num_rows) == np.repeat(content.shown[cohorts], length), "class")
    others = [
        f"{c.name}__{sums}" for c in order.columns if c.role == "measure" for sums in ("count", "sum", "sumsq")
    ]
    others += [f"{a}__{b}__sumxy" for a, b in order.pairs]
    others = ["n", LEVEL, *others] if order.mode == "aggregate" else named["sensitive"]
    require(sorted(table.column_names) == sorted([*named["quasi-identifier"], *others]), "columns")
    if order.mode == "rows":
        written = fold([_numbers(table.column(name)) for name in named["sensitive"]], table.num_rows)
        require(np.add.reduceat(mix(written, SALT), ranges[:, 1]) == content.values[cohorts], "values")
        return
    require(table.column("n").to_numpy() == content.size[cohorts], "persons")
    require(_numbers(table.column(LEVEL)) == written_numbers(_LEVELS)[made.level[cohorts]], "level")
    _check_sums(order, table, made, content, cohorts)


def _read(part: MadePart) -> pa.Table:
    try:
        return parquet.read_table(part.path, read_dictionary=require_rows(part.path, part.rows))
    except (pa.ArrowException, OSError) as broken:
        raise PublicationRefused("publication.promise_broken", promise="ranges") from broken


def _check_sums(order: AnonymiseOrder, table: pa.Table, made: Made, content: Content, cohorts: slice) -> None:
    measures = [c.name for c in order.columns if c.role == "measure"]
    named = [{f"{m}__count": "count", f"{m}__sum": "total", f"{m}__sumsq": "squares"} for m in measures]
    named += [{f"{a}__{b}__sumxy": "total"} for a, b in order.pairs]
    for place, (columns, totals) in enumerate(zip(named, content.totals, strict=True)):
        given = made.given[cohorts, place]
        enough = totals.count[cohorts] >= order.k
        # As in the jail, but for the order of the additions.
        dominated = totals.largest[cohorts] > (1 + 1e-9) * DOMINANCE_SHARE * totals.absolute[cohorts]
        require(~given | (enough & ~dominated), "contributors")
        for name, sums in columns.items():
            column = table.column(name).combine_chunks()
            require(column.is_valid().to_numpy(zero_copy_only=False) == given, "measures")
            said = column.fill_null(0).to_numpy(zero_copy_only=False)
            total = getattr(totals, sums)[cohorts]
            # In digits that nobody looks at a jail could write what it has read.
            told = is_told(said, total, totals.absolute[cohorts] if sums == "total" else total)
            require(told | ~given, "measures")
    for place, pair in enumerate(order.pairs, len(measures)):
        # Whoever has the one has the other: else a difference of sums would be of fewer than k persons.
        mine, given = content.totals[place].count[cohorts], made.given[cohorts, place]
        for of in (measures.index(m) for m in pair):
            same = made.given[cohorts, of] & (content.totals[of].count[cohorts] == mine)
            require(~given | same, "contributors")


def _numbers(column: pa.ChunkedArray) -> Ints:
    """A number of each row's value, 0 for none."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    numbers = np.append(written_numbers(encoded.dictionary), np.uint64(0))
    codes = encoded.indices.fill_null(len(numbers) - 1).to_numpy(zero_copy_only=False)
    found: Ints = numbers[codes]
    return found
