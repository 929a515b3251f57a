"""Runs in a jail: looks at the beginning of a file that nobody has described, and guesses what its columns are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO, Literal, get_args

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import replace
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.guess.told import GuessReply
from catalog.jailed.cells import written
from catalog.jailed.loaded import LOADED
from catalog.jailed.opening import Source, open_sources
from catalog.jailed.profile import Profile, profile
from catalog.jailed.refused import Refused
from catalog.jailed.roles import choose, decide
from catalog.pii.kinds import DIRECT, Kind
from catalog.pii.order import ScanOrder
from catalog.pii.scanning import Scanner
from catalog.reading import Decimal
from catalog.wire import IngestOrder

assert LOADED  # imported for what importing it does

_SAMPLE_ROWS = 200_000
_SAMPLE_CELLS = 20_000_000
_SURE = 0.5
"""Less is half of a pair of coordinates that its other half does not confirm."""
_MAX_COLUMNS = 2_000
_TOTALS_NAMED = 10
_SIGNS = (
    "-", "–", "—", "…", "...", "..", "#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!",
)  # fmt: skip
"""The last ones stand in a CSV where a formula failed; in a workbook such a cell is empty."""
_OF_SEVERAL: frozenset[Kind] = frozenset({"person_name", "address", "coordinates", "free_text"})
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
    place = {name: i for i, name in enumerate(source.wanted)}
    given = {name: table.column(place[name]) for name in names}
    nothing = _null_words(given.values())
    null_words = pa.array([*order.null_words, "", *nothing], pa.string())
    profiles, decimal = _profiles(given, null_words, order.reading.decimal)
    found = _found(order.scan, source.wanted, table) if order.scan else {}
    guessed = [decide(one, found.get(one.name)) for one in profiles]
    subject_key = _subject_key(profiles, found)
    repeated_key = "" if subject_key else _repeated_key(profiles, found)
    chosen, fine_share = choose(profiles, guessed, _latest(profiles, repeated_key))
    return GuessReply(
        columns=tuple(chosen), rows=table.num_rows, whole=whole, format=source.kind, encoding=source.encoding,
        delimiter=source.delimiter, subject_key=subject_key, repeated_key=repeated_key,
        fine_share=round(fine_share, 4), header_row=source.header_row, header_rows=source.header_rows,
        total_rows=tuple(totals), decimal=decimal, ragged=source.skipped.count,
        formula_errors=source.formula_errors,
        ragged_rows=tuple(source.skipped.rows[:_TOTALS_NAMED]),
        decimal_unclear=tuple(one.name for one in profiles if one.decimal_unclear),
        two_digit_years=any(one.two_digit_years for one in profiles),
        null_words=(*order.null_words, *nothing) if nothing else (), sheet=order.reading.sheet or "",
    )  # fmt: skip


def _profiles(
    given: Mapping[str, pa.ChunkedArray], null_words: pa.Array, declared: Decimal | None
) -> tuple[list[Profile], Literal["", "point", "comma"]]:
    """Of each column, and the decimal mark that is known or found: columns that need it are read by it."""
    profiles = [profile(name, column, null_words, declared) for name, column in given.items()]
    decimal = declared or _decimal(profiles)
    if not decimal:
        return profiles, ""
    return [
        profile(one.name, given[one.name], null_words, decimal) if one.decimal_unclear else one for one in profiles
    ], decimal


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
    like the number of a person first, what others may share last, and of the rest what is called so."""
    able = [one for one in profiles if one.is_key and not (one.counts_rows and one.name not in found)]
    if not able:
        return ""
    return min(
        able,
        key=lambda one: (
            found.get(one.name) not in _NUMBERS_OF_PERSONS, found.get(one.name) in _OF_SEVERAL, one.hint is None
        ),
    ).name  # fmt: skip


def _repeated_key(profiles: Sequence[Profile], found: Mapping[str, Kind]) -> str:
    """A column of numbers that persons have, never empty: some of them stand in several rows."""
    able = [one for one in profiles if found.get(one.name) in _NUMBERS_OF_PERSONS and one.filled == one.rows]
    return max(able, key=lambda one: one.distinct).name if able else ""


def _latest(profiles: Sequence[Profile], repeated_key: str) -> Ints | None:
    """Of each person the row that `events` will take, by the first column of days; None: each row is a person."""
    if not repeated_key:
        return None
    codes = next(one.codes for one in profiles if one.name == repeated_key)
    day = next((one.values for one in profiles if one.type in ("date", "timestamp") and one.hint is None), None)
    days = (
        np.zeros(len(codes)) if day is None else day.cast(pa.timestamp("us")).cast(pa.int64()).fill_null(-(2**62))
    )
    order = np.lexsort((np.asarray(days), codes))
    latest: Ints = order[np.append(np.diff(codes[order]) != 0, True)]
    return latest


def _null_words(columns: Iterable[pa.ChunkedArray]) -> tuple[str, ...]:
    """Signs that stand for nothing, as tables of offices have them, of those that stand alone in a cell."""
    signs = pa.array(_SIGNS)
    found: set[str] = set()
    for column in columns:
        for chunk in column.chunks:
            texts = chunk.dictionary if pa.types.is_dictionary(chunk.type) else pa.array([], pa.string())
            trimmed = compute.utf8_trim_whitespace(texts)
            found |= set(trimmed.filter(compute.is_in(trimmed, signs)).to_pylist())
    return tuple(sign for sign in _SIGNS if sign in found)


def _decimal(profiles: Sequence[Profile]) -> Literal["", "point", "comma"]:
    """The one mark under which every cell of every unclear column is a number; of both the one that the other
    columns have; "" for both, or neither."""
    unclear = [one for one in profiles if one.decimal_unclear]
    able = [mark for mark in get_args(Decimal) if all(mark in one.decimals for one in unclear)]
    clear = {one.decimal for one in profiles if one.decimal and not one.decimal_unclear}
    if len(able) > 1 and len(clear) == 1:
        able = list(clear)
    return able[0] if unclear and len(able) == 1 else ""
