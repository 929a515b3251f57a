"""Runs in a jail: looks at the beginning of a file that nobody has described, and guesses what its columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Literal, get_args

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import replace

from catalog.guess.told import GuessReply
from catalog.jailed.cells import written
from catalog.jailed.loaded import LOADED
from catalog.jailed.numbers import Decimal
from catalog.jailed.opening import Source, open_sources
from catalog.jailed.profile import Profile, profile
from catalog.jailed.refused import Refused
from catalog.jailed.roles import choose, decide
from catalog.pii.kinds import DIRECT, Kind
from catalog.pii.order import ScanOrder
from catalog.pii.scanning import Scanner
from catalog.wire import IngestOrder

assert LOADED  # imported for what importing it does

_SAMPLE_ROWS = 200_000
_SAMPLE_CELLS = 20_000_000
_SURE = 0.5
"""Less is half of a pair of coordinates that its other half does not confirm."""
_MAX_COLUMNS = 2_000
_TOTALS_NAMED = 10
_NUMBERS_OF_PERSONS: frozenset[Kind] = frozenset(
    {"citizen_id", "old_citizen_id", "social_insurance", "passport", "tax_code"}
)


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read inputs within the bounds of an IngestOrder without columns; write nothing. Returns a GuessReply."""
    order = msgspec.msgpack.decode(payload, type=IngestOrder)
    try:
        reply = guess(order, inputs)
    except Refused as refused:
        reply = GuessReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def guess(order: IngestOrder, inputs: Sequence[int]) -> GuessReply:
    """Of the first rows. Raises Refused."""
    order = replace(order, nameless=True)
    sources = open_sources(order, inputs)  # held: it closes its file when it is let go
    source = next(sources)
    if source.kind.startswith("csv") and not source.header_row:
        raise Refused("ingest.no_header")
    names = [name for name in source.wanted if name]
    if len(source.wanted) > _MAX_COLUMNS:
        raise Refused("ingest.too_many_columns", columns=len(source.wanted), max=_MAX_COLUMNS)
    table, whole, totals = _beginning(source)
    if not table.num_rows:
        raise Refused("ingest.no_rows")
    null_words = pa.array([*order.null_words, ""], pa.string())
    place = {name: i for i, name in enumerate(source.wanted)}
    profiles = [profile(name, table.column(place[name]), null_words) for name in names]
    found = _found(order.scan, source.wanted, table) if order.scan else {}
    guessed = [decide(one, found.get(one.name)) for one in profiles]
    chosen, fine_share = choose(profiles, guessed)
    subject_key = _subject_key(profiles, found)
    return GuessReply(
        columns=tuple(chosen), rows=table.num_rows, whole=whole, format=source.kind, encoding=source.encoding,
        delimiter=source.delimiter, subject_key=subject_key, fine_share=round(fine_share, 4),
        repeated_key="" if subject_key else _repeated_key(profiles, found),
        header_row=source.header_row, total_rows=tuple(totals), decimal=_decimal(profiles),
        decimal_unclear=tuple(one.name for one in profiles if one.decimal_unclear),
        two_digit_years=any(one.two_digit_years for one in profiles),
    )  # fmt: skip


def _found(scan: ScanOrder, wanted: Sequence[str], table: pa.Table) -> dict[str, Kind]:
    """The columns whose cells name or find a person, and as what."""
    scanner = Scanner(scan, [name for name in wanted if name])
    places = [place for place, name in enumerate(wanted) if name]
    for batch in table.to_batches():
        columns = [written(batch.column(place)) for place in places]
        scanner.take(pa.RecordBatch.from_arrays(columns, names=[wanted[place] for place in places]))
    kinds = {column.name: [k.kind for k in column.kinds if k.kind in DIRECT and k.confidence > _SURE]
             for column in scanner.detected().columns}  # fmt: skip
    return {name: each[0] for name, each in kinds.items() if each}


def _beginning(source: Source) -> tuple[pa.Table, bool, list[int]]:
    """The first records, whether they are all, and the rows among them that are none."""
    rows = min(_SAMPLE_ROWS, _SAMPLE_CELLS // max(len(source.wanted), 1) + 1)
    names = [str(place) for place in range(len(source.wanted))]
    batches: list[pa.RecordBatch] = []
    totals: list[int] = []
    read, whole = 0, True
    for batch in source.batches():
        part = pa.RecordBatch.from_arrays(batch.slice(0, rows - read).columns, names=names)
        summing = source.totals.within(read, part.num_rows)
        totals += source.skipped.numbers(summing + read).tolist()
        kept = np.ones(part.num_rows, dtype=bool)
        kept[summing] = False
        batches.append(part.filter(pa.array(kept)) if len(summing) else part)
        read += part.num_rows
        if read == rows:
            whole = part.num_rows == batch.num_rows
            break
    if source.skipped.count and not batches:
        raise Refused("ingest.not_csv")
    return (pa.Table.from_batches(batches) if batches else pa.table({})), whole, totals[:_TOTALS_NAMED]


def _subject_key(profiles: Sequence[Profile], found: Mapping[str, Kind]) -> str:
    """A column that is never empty and never says the same twice, but one that only counts the rows; what looks
    like the number of a person first, then what is called so."""
    able = [one for one in profiles if one.is_key and not (one.counts_rows and one.name not in found)]
    if not able:
        return ""
    return min(able, key=lambda one: (found.get(one.name) not in _NUMBERS_OF_PERSONS, one.hint is None)).name


def _repeated_key(profiles: Sequence[Profile], found: Mapping[str, Kind]) -> str:
    """A column of numbers that persons have, never empty: some of them stand in several rows."""
    able = [one for one in profiles if found.get(one.name) in _NUMBERS_OF_PERSONS and one.filled == one.rows]
    return max(able, key=lambda one: one.distinct).name if able else ""


def _decimal(profiles: Sequence[Profile]) -> Literal["", "point", "comma"]:
    """The one mark under which every cell of every unclear column is a number; "" for both, or neither."""
    unclear = [one for one in profiles if one.decimal_unclear]
    able = [mark for mark in get_args(Decimal) if all(mark in one.decimals for one in unclear)]
    return able[0] if unclear and len(able) == 1 else ""
