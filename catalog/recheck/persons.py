"""The persons once more, a batch at a time: is each what the jail says, and does each cohort have ℓ values?

Memory holds a batch and a few numbers a cohort, however many persons there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints, at_levels
from catalog.jailed.mixing import mix
from catalog.jailed.refused import Refused
from catalog.making import Made
from catalog.past import Past
from catalog.recheck.batch import Batch, fold, read_batch
from catalog.recheck.broken import require
from catalog.version import LEVELS
from catalog.wire import AnonymiseOrder

SALT: Ints = np.array(secrets.randbits(63), dtype=np.uint64)
"""So that nobody can make two different files of one number."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one measure, over the persons of each cohort who have a value."""

    count: Ints
    total: Ints
    squares: Ints
    absolute: Ints
    largest: Ints


@dataclass(frozen=True, slots=True)
class Content:
    """What the files must hold of each cohort: size, class, sensitive values (numbers), totals of each measure."""

    size: Ints
    shown: Ints
    values: Ints
    totals: list[Totals]


def check_persons(order: AnonymiseOrder, persons: Path, mask: Ints, made: Made, past: Past | None) -> Content:
    """Raises PublicationRefused if anybody is not what the jail said, or stands where ℓ values are not."""
    once_more = _Persons(order, mask, made, past)
    begin = 0
    with pa.OSFile(str(persons)) as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            table = pa.Table.from_batches([batch])
            try:
                read = read_batch(order, table)
            except Refused:
                require(False, "values")
            once_more.take(slice(begin, begin + table.num_rows), read)
            begin += table.num_rows
    require(begin == len(mask), "persons")
    return once_more.content()


class _Persons:
    def __init__(self, order: AnonymiseOrder, mask: Ints, made: Made, past: Past | None) -> None:
        self.order, self.mask, self.made, self.past = order, mask, made, past
        cohorts = made.reply.cohorts
        self.shown, self.values = np.zeros(cohorts, dtype=np.uint64), np.zeros(cohorts, dtype=np.uint64)
        self.distinct = [_Distinct(cohorts, order.l) for c in order.columns if c.role == "sensitive"]
        self.totals = [Totals(*(np.zeros(cohorts) for _ in range(5))) for _ in range(order.measure_count)]
        self.visible = _Visible(order, made, past)
        self.standing = _Standing(order, mask, made, past)
        self._check_levels(self.standing.datum < 0)

    def _check_levels(self, unknown: Ints) -> None:
        """A new cohort stands at a level of this manifest; one of the lineage at any that a version may have."""
        made = self.made
        new = np.zeros(made.reply.cohorts, dtype=bool)
        new[made.cohort[(made.cohort >= 0) & unknown]] = True
        most = np.where(new, self.order.level_count, len(LEVELS))
        require((made.level >= 0) & (made.level < most), "level")

    def take(self, rows: slice, read: Batch) -> None:
        made, present = self.made, self.mask[rows] != 0
        said = made.values[rows].astype(np.uint64)
        require((made.digest[rows] == read.digest)[present], "digest")
        require(((said == read.values >> 32) | (said == 0))[present], "values")
        if made.kinds is not None:
            require((made.kinds[rows] == read.classes[0])[present], "class")
        for place, measure in enumerate(read.measures):
            require((made.contributes[rows, place] == measure.present)[present], "measures")
        self.visible.take(read.values, said, present)
        self.standing.take(rows, read)
        self._cohorts(rows, read, said)

    def _cohorts(self, rows: slice, read: Batch, said: Ints) -> None:
        inside = np.flatnonzero(self.made.cohort[rows] >= 0)
        cohort = self.made.cohort[rows][inside]
        level = self.made.level[cohort]
        require(at_levels([c[inside] for c in read.classes], level) == self.made.classes[cohort], "class")
        self.shown[cohort] = at_levels([s[inside] for s in read.shown], level)
        written = np.where(said[inside] != 0, read.written[inside], 0)
        np.add.at(self.values, cohort, mix(fold(list(written.T), len(inside)), SALT))
        for place, distinct in enumerate(self.distinct):
            distinct.add(cohort, written[:, place])
        for totals, measure in zip(self.totals, read.measures, strict=True):
            has = measure.present[inside]
            value, of = measure.values[inside][has], cohort[has]
            for sums, amount in (
                (totals.count, np.ones(len(value))), (totals.total, value), (totals.squares, value * value),
                (totals.absolute, np.abs(value)),
            ):  # fmt: skip
                np.add.at(sums, of, amount)
            np.maximum.at(totals.largest, of, np.abs(value))

    def content(self) -> Content:
        self.visible.finish()
        for distinct in self.distinct:
            require(distinct.count >= self.order.l, "l")
        size = np.bincount(self.made.cohort[self.made.cohort >= 0], minlength=self.made.reply.cohorts)
        require(size >= self.order.k, "k")
        return Content(size, self.shown, self.values, self.totals)


class _Distinct:
    """Up to ℓ different values of each cohort. `count`: how many were found."""

    def __init__(self, cohorts: int, l: int) -> None:
        self.found = np.zeros((cohorts, l), dtype=np.uint64)
        self.count = np.zeros(cohorts, dtype=np.int64)

    def add(self, cohort: Ints, value: Ints) -> None:
        known = value != 0
        by = np.lexsort((value[known], cohort[known]))
        cohort, value = cohort[known][by], value[known][by]
        first = np.ones(len(by), dtype=bool)
        first[1:] = (cohort[1:] != cohort[:-1]) | (value[1:] != value[:-1])
        cohort, value = cohort[first], value[first]
        new = ~(self.found[cohort] == value[:, np.newaxis]).any(axis=1)
        cohort, value = cohort[new], value[new]
        place = self.count[cohort] + np.arange(len(cohort)) - np.searchsorted(cohort, cohort)
        room = place < self.found.shape[1]
        self.found[cohort[room], place[room]] = value[room]
        np.maximum.at(self.count, cohort, np.minimum(place + 1, self.found.shape[1]))


class _Visible:
    """A value is shown only if it was before, or k persons hold it."""

    def __init__(self, order: AnonymiseOrder, made: Made, past: Past | None) -> None:
        names = [c.name for c in order.columns if c.role == "sensitive"]
        before = past.visible if past else {}
        require(set(made.visible) == set(names), "rare")
        self.k = order.k
        self.known = [_ascending(made.visible[name]) for name in names]
        self.fresh = [_ascending(made.visible[name].keys() - before.get(name, {}).keys()) for name in names]
        self.held = [np.zeros(len(fresh), dtype=np.int64) for fresh in self.fresh]
        version = past.versions if past else 0
        for name in names:
            since = before.get(name, {})
            require(all(since.get(v, version) == at for v, at in made.visible[name].items()), "rare")
            require(since.keys() <= made.visible[name].keys(), "rare")

    def take(self, values: Ints, said: Ints, present: Ints) -> None:
        for place, (known, fresh) in enumerate(zip(self.known, self.fresh, strict=True)):
            shown = np.unique(values[said[:, place] != 0, place])
            require(np.isin(shown, known), "rare")
            if len(fresh):
                mine = values[present, place]
                at = np.minimum(np.searchsorted(fresh, mine), len(fresh) - 1)
                self.held[place] += np.bincount(at[fresh[at] == mine], minlength=len(fresh))

    def finish(self) -> None:
        for held in self.held:
            require(held >= self.k, "rare")


def _ascending(numbers: Iterable[int]) -> Ints:
    return np.unique(np.array(list(numbers), dtype=np.uint64) | np.uint64(1 << 32))


class _Standing:
    """Whether each datum of the lineage lives on exactly where the jail says so."""

    def __init__(self, order: AnonymiseOrder, mask: Ints, made: Made, past: Past | None) -> None:
        self.past, self.mask, self.made, self.followed = past, mask, made, order.followed
        self.datum = np.full(len(mask), -1, dtype=np.int32)
        if past is None:
            return
        alive = np.flatnonzero(made.lives >= 0)
        require(made.lives[alive] < len(mask), "lives")
        self.datum[made.lives[alive]] = alive
        require((self.datum >= 0).sum() == len(alive), "lives")
        require(mask[made.lives[alive]] != 0, "lives")
        dead = np.flatnonzero(made.lives < 0)
        if order.followed:
            require(made.lives[alive] == past.row[alive], "lives")
            dead = dead[past.row[dead] >= 0]
            self.dead = dead[np.argsort(past.row[dead], kind="stable")]
        else:
            level = np.minimum(past.level, order.level_count - 1)[past.cohort[dead]]
            both = mix(past.classes[past.cohort[dead]], past.digest[dead])
            self.lost = [np.unique(both[level == each]) for each in range(order.level_count)]

    def take(self, rows: slice, read: Batch) -> None:
        past = self.past
        if past is None:
            return
        datum = self.datum[rows]
        here = np.flatnonzero(datum >= 0)
        require(self._same(datum[here], here, read), "lives")
        require(past.values[datum[here]] == self.made.values[rows][here], "values")
        free = (datum < 0) & (self.mask[rows] != 0)
        if self.followed:
            begin, end = np.searchsorted(past.row[self.dead], [rows.start, rows.stop])
            dead = self.dead[begin:end]
            place = past.row[dead] - rows.start
            dead, place = dead[free[place]], place[free[place]]
            require(~self._same(dead, place, read), "lives")
            return
        for lost, number in zip(self.lost, read.classes, strict=True):
            require(~np.isin(mix(number[free], read.digest[free]), lost), "lives")

    def _same(self, data: Ints, place: Ints, read: Batch) -> Ints:
        assert self.past is not None  # asked by the caller
        cohort = self.past.cohort[data]
        number = at_levels([c[place] for c in read.classes], self.past.level[cohort])
        same: Ints = (number == self.past.classes[cohort]) & (read.digest[place] == self.past.digest[data])
        return same
