"""The second jail as somebody else's: the real program with one rule of it broken, and files that fit the lie.

In a jail this is `attacks.lying`; a test may also call it as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

import msgspec
import numpy as np

from catalog import regroup
from catalog.cohorts import Ints
from catalog.jailed import anonymise, coding, forming, measure, measures, parts
from catalog.past import Past
from catalog.pii.order import DetectedPair
from catalog.version import LEVELS
from catalog.wire import MeasureOrder, MeasureReply

Main = Callable[[bytes, Sequence[int], BinaryIO], bytes]


@contextmanager
def _with(place: Any, **other: Any) -> Iterator[None]:
    """Another function where a rule is."""
    before = {name: getattr(place, name) for name in other}
    try:
        for name, function in other.items():
            setattr(place, name, function)
        yield
    finally:
        for name, function in before.items():
            setattr(place, name, function)


def carry_the_rest(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """A cohort stays though somebody of it has left or changed; the book is told that nobody did."""

    def without_the_dead(past: Past, row: Ints, *more: Any, **options: Any) -> regroup.Kept:
        alive = row >= 0
        names = ("digest", "cohort", "atom", "again", "values", "contributes")
        return regroup.keep(
            replace(past, **{n: getattr(past, n)[alive] for n in names}), row[alive], *more, **options
        )

    with _with(forming, keep=without_the_dead):
        return anonymise.main(payload, inputs, output)


def see_no_change(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Who has changed is shown as it is now, where it stood."""
    with _with(forming, living=lambda past, now, followed: past.row.astype(np.int64)):
        return anonymise.main(payload, inputs, output)


def forget_the_past(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Everybody is new, and stands in other cohorts than before."""
    with _with(forming, living=lambda past, now, followed: np.full(len(past.digest), -3)):
        return anonymise.main(payload, inputs, output)


def _two_levels(payload: bytes, inputs: Sequence[int], output: BinaryIO, **other: int) -> bytes:
    honest = forming.level_by_level

    def level_by_level(order: Any, *more: Any) -> Any:
        return honest(msgspec.structs.replace(order, **other), *more)

    with _with(forming, level_by_level=level_by_level):
        return anonymise.main(payload, inputs, output)


def form_small_cohorts(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Two are enough."""
    return _two_levels(payload, inputs, output, k=2)


def form_plain_cohorts(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """One sensitive value is enough."""
    return _two_levels(payload, inputs, output, l=1)


def show_rare_values(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """A value that one person holds is shown."""

    def seen_values(coded: Any, k: int, **more: Any) -> Any:
        return coding.seen_values(coded, 1, **more)

    with _with(forming, seen_values=seen_values):
        return anonymise.main(payload, inputs, output)


def take_newcomers_in(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """A newcomer goes to the first cohort that is carried, whatever its class."""
    honest = forming.form_cohorts

    def form_cohorts(order: Any, persons: Any, past: Past | None) -> forming.Formed:
        formed = honest(order, persons, past)
        numbers = forming._now(order, persons).classes[0]
        cohort = formed.cohort.copy()
        for i in np.flatnonzero(cohort < 0):
            mates = np.flatnonzero((numbers == numbers[i]) & (formed.cohort >= 0))
            mates = mates[(formed.masks[formed.cohort[mates]] & ~persons.mask[i]) == 0]
            if len(mates):
                cohort[i] = formed.cohort[mates[0]]
        return replace(formed, cohort=cohort)

    with _with(anonymise, form_cohorts=form_cohorts):
        return anonymise.main(payload, inputs, output)


def return_too_soon(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Touched cohorts come back without the one who left."""

    def apart(self: Any, batch: Any, people: Ints, crossing: Ints) -> Ints:
        return np.ones(self.kinds, dtype=bool)

    with _with(regroup._Returning, _apart=apart, _sound=lambda self, batch: np.ones(self.kinds, dtype=bool)):
        return anonymise.main(payload, inputs, output)


def give_movers_away(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Who has moved stands with others though only her own value is in both of her cohorts."""
    with _with(forming, left_to_movers=lambda held, cohort, *_: np.full(len(cohort), 99)):
        return anonymise.main(payload, inputs, output)


def show_every_sum(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Sums of few persons, or of one who dominates, are not withheld."""

    honest = measures.sums

    def sums(*asked: Any) -> measures.Sums:
        made = honest(*asked)
        return replace(made, given=np.ones_like(made.given))

    with _with(measures, sums=sums):
        return anonymise.main(payload, inputs, output)


def write_another_class(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """What the files hold is not what the book is told."""
    honest = parts.parquet_bytes

    def parquet_bytes(table: Any, rows: int) -> memoryview:
        turned = table.column(0).to_pylist()[::-1]
        return honest(table.set_column(0, table.column_names[0], [turned]), rows)

    with _with(parts, parquet_bytes=parquet_bytes):
        return anonymise.main(payload, inputs, output)


def write_another_value(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """The last column's values are each other's."""
    honest = parts.parquet_bytes

    def parquet_bytes(table: Any, rows: int) -> memoryview:
        last = table.num_columns - 1
        turned = table.column(last).to_pylist()[::-1]
        return honest(table.set_column(last, table.column_names[last], [turned]), rows)

    with _with(parts, parquet_bytes=parquet_bytes):
        return anonymise.main(payload, inputs, output)


def write_in_the_last_digits(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Sums are right to nine digits; behind them stands what the jail has read."""
    honest = parts.parquet_bytes

    def parquet_bytes(table: Any, rows: int) -> memoryview:
        name = next(n for n in table.column_names if n.endswith("__sumsq"))
        hidden = [v and v * (1 + 2**-33) for v in table.column(name).to_pylist()]
        return honest(table.set_column(table.column_names.index(name), name, [hidden]), rows)

    with _with(parts, parquet_bytes=parquet_bytes):
        return anonymise.main(payload, inputs, output)


def _stand_at(level: int, payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    honest = anonymise._write_private

    def write_private(
        order: Any, out: BinaryIO, persons: Any, formed: forming.Formed, finished: Any, *more: Any
    ) -> None:
        assert formed.kept is not None  # told of a past
        said = finished.level.copy()
        said[finished.number[len(formed.kept.level) :]] = level
        honest(order, out, persons, formed, replace(finished, level=said), *more)

    with _with(anonymise, _write_private=write_private):
        return anonymise.main(payload, inputs, output)


def stand_below_the_first_level(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """New cohorts are of no level: the next version would find everybody in them changed."""
    return _stand_at(-1, payload, inputs, output)


def stand_above_the_last_level(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """New cohorts are of a level that no version has."""
    return _stand_at(len(LEVELS), payload, inputs, output)


def agree(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """The third jail, which finds nothing wrong with anything."""
    order = msgspec.msgpack.decode(payload, type=MeasureOrder)
    reply = measure.main(msgspec.msgpack.encode(msgspec.structs.replace(order, k=1, l=1)), inputs, output)
    return msgspec.msgpack.encode(
        msgspec.structs.replace(msgspec.msgpack.decode(reply, type=MeasureReply), fault="")
    )


def name_pairs_of_no_column(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """A pair of columns singles nobody out that no manifest has."""
    pair = DetectedPair(first="illness", second="nowhere", singles=0.0, persons=1)
    with _with(anonymise, singled_out=lambda *_: (pair,)):
        return anonymise.main(payload, inputs, output)
