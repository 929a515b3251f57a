"""The rule of `catalog.lineage` once more, from what the jail says became of each cohort and of each datum."""

from __future__ import annotations

import numpy as np

from catalog.cohorts import Ints
from catalog.intersected import exchanging, intersected
from catalog.making import Made
from catalog.past import CARRIED, DISSOLVED, OUT_SHORT, RETIRED, Past
from catalog.recheck.broken import require


def check_lineage(made: Made, past: Past, shown: Ints, *, k: int, l: int, narrow: bool) -> None:
    """`shown`: of each cohort of the past, whether the newest version shows it; `narrow`: whether files show
    values. Raises PublicationRefused.

    That each datum lives where the jail says so, and that each new cohort has k and ℓ, was checked before.
    """
    require((made.fate >= 0) & (made.fate <= OUT_SHORT), "fate")
    require((made.fate == RETIRED) == past.retired, "fate")
    require((made.number >= 0) == (made.fate == CARRIED), "fate")
    alive = np.flatnonzero(made.lives >= 0)
    now = np.full(len(made.lives), -1, dtype=np.int64)
    now[alive] = made.cohort[made.lives[alive]]
    known = np.zeros(len(made.cohort), dtype=bool)
    known[made.lives[alive]] = True
    carried, moved = _carried(made, past, now), _moved(made, past, now)
    stands = np.bincount(made.cohort[made.cohort >= 0], minlength=made.reply.cohorts)
    fresh = np.bincount(made.cohort[(made.cohort >= 0) & ~known], minlength=made.reply.cohorts)
    require(fresh == np.where(carried | moved, 0, stands), "newcomers")
    _Returned(made, past, now, moved).check(k)
    found = intersected(made, past, narrow=narrow)
    require(found.pools.least >= l, "returned")
    require(found.least >= l, "candidates")
    _check_moves(made, past, now, shown & ~past.retired, known, k)


def _carried(made: Made, past: Past, now: Ints) -> Ints:
    """Which cohorts are carried ones: whole, nobody else in them, the same sums shown."""
    carried = np.zeros(made.reply.cohorts, dtype=bool)
    old = np.flatnonzero(made.fate == CARRIED)
    number = made.number[old]
    require(number < len(carried), "carried")
    carried[number] = True
    require(carried.sum() == len(old), "carried")
    mine = made.fate[past.cohort] == CARRIED
    require(now[mine] == made.number[past.cohort[mine]], "carried")
    size = np.bincount(past.cohort, minlength=len(past.classes))[old]
    require(size == np.bincount(made.cohort[made.cohort >= 0], minlength=len(carried))[number], "carried")
    require(made.classes[number] == past.classes[old], "carried")
    require(made.level[number] == past.level[old], "carried")
    require(~made.given[number] | past.given[old], "carried")
    return carried


def _moved(made: Made, past: Past, now: Ints) -> Ints:
    """Which cohorts are returned ones; whoever was shown before stands in these or in carried ones only."""
    fate = made.fate[past.cohort]
    require((now < 0) | (fate == CARRIED) | (fate == DISSOLVED), "returned")
    moved = np.zeros(made.reply.cohorts, dtype=bool)
    moved[now[(now >= 0) & (fate == DISSOLVED)]] = True
    return moved


class _Returned:
    """Data of the cohorts that are gone into returned ones, in batches: what has no cohort in common is apart."""

    def __init__(self, made: Made, past: Past, now: Ints, moved: Ints) -> None:
        self.made, self.past = made, past
        self.data = np.flatnonzero(made.fate[past.cohort] == DISSOLVED)
        self.into = np.flatnonzero(moved)
        place = np.full(len(moved) + 1, -1, dtype=np.int64)
        place[self.into] = np.arange(len(self.into))
        self.to = place[now[self.data]]
        self.of = past.cohort[self.data]
        self.batch = self._batches()

    def _batches(self) -> Ints:
        """Of each returned cohort the lowest number of those that it shares a source with."""
        batch = exchanging(self.of, self.to, len(self.into), len(self.past.classes))
        lowest = np.full(len(self.past.classes), len(batch), dtype=np.int64)
        there = self.to >= 0
        np.minimum.at(lowest, self.of[there], batch[self.to[there]])
        require(lowest[np.unique(self.of)] < len(batch), "returned")
        self.mine = lowest[self.of]
        return batch

    def check(self, k: int) -> None:
        """Three groups a batch at most, each against the others; one class, one level."""
        if not len(self.data):
            return
        made, past, batch = self.made, self.past, self.batch
        new = self.into[self.to[self.to >= 0]]
        old = self.of[self.to >= 0]
        require((made.classes[new] == past.classes[old]) & (made.level[new] == past.level[old]), "returned")
        by = np.lexsort((np.arange(len(batch)), batch))
        rank = np.empty(len(batch), dtype=np.int64)
        rank[by] = np.arange(len(batch)) - np.searchsorted(batch[by], batch[by])
        require(rank < 2, "returned")
        self.group = np.where(self.to >= 0, rank[self.to] + 1, 0)
        require(self._apart(np.ones(len(self.data), dtype=bool), k), "returned")
        for measure in range(past.given.shape[1]):
            self._check_measure(measure, k)

    def _apart(self, chosen: Ints, k: int) -> Ints:
        """Of each batch: is each group of it nobody, everybody, or k persons apart from the others?"""
        people, count = self._people(chosen), len(self.batch)
        mine, group = self.mine[chosen], self.group[chosen]
        atoms, atom = np.unique(self.past.atom[self.data[chosen]], return_inverse=True)
        of = np.zeros(len(atoms), dtype=np.int64)
        of[atom] = mine
        held = np.zeros((len(atoms), 3), dtype=np.int64)
        np.add.at(held, (atom, group), 1)
        least = np.zeros((count, 3), dtype=np.int64)
        np.add.at(least, of, np.minimum(held, held.sum(axis=1, keepdims=True) - held))
        twice = np.bincount(self.mine, self.past.again[self.data], count).astype(np.int64)
        everybody = people == people.sum(axis=1, keepdims=True)
        result: Ints = ((people == 0) | everybody | (least - twice[:, np.newaxis] >= k)).all(axis=1)
        return result

    def _people(self, chosen: Ints) -> Ints:
        people = np.zeros((len(self.batch), 3), dtype=np.int64)
        np.add.at(people, (self.mine[chosen], self.group[chosen]), 1)
        return people

    def _check_measure(self, measure: int, k: int) -> None:
        """A returned cohort shows it only if the same holds of those who have a value, and none hid it before."""
        chosen = self.past.contributes[self.data, measure]
        people = self._people(chosen)
        hidden = np.zeros(len(self.batch), dtype=bool)
        hidden[self.mine[~self.past.given[self.of, measure]]] = True
        alone = (people == people.sum(axis=1, keepdims=True)).any(axis=1)
        may = self._apart(chosen, k) & ~(alone & hidden)
        require(~self.made.given[self.into, measure] | may[self.batch], "returned")


def _check_moves(made: Made, past: Past, now: Ints, shown: Ints, known: Ints, k: int) -> None:
    """Of each class none or at least k persons came, left or changed since the newest version.

    A cohort that is whole shown or hidden may have fewer where k was raised since: it is as many as were promised
    then.
    """
    differs = shown[past.cohort] != (now >= 0)
    size, moved = (np.bincount(past.cohort[which], minlength=len(shown)) for which in (now >= -1, differs))
    came = made.classes[made.cohort[(made.cohort >= 0) & ~known]]
    classes, of = np.unique(np.concatenate([past.classes[past.cohort[differs]], came]), return_inverse=True)
    alone = np.concatenate([(moved < size)[past.cohort[differs]], np.ones(len(came), dtype=bool)])
    require((np.bincount(of) >= k) | (np.bincount(of, alone, len(classes)) == 0), "moves")
