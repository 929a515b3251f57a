"""Between versions (invariant 3): what a lineage has shown once comes back whole, or in groups of k, or waits.

A *datum* is what one person is in a version: class (the quasi-identifiers as shown), sensitive values, measures.
An *atom* is all data that stood in the same cohorts in every version so far. The rule, at each new version:

1. A cohort of an earlier version is shown again if all its data are in the file again (carried), for those
   purposes to which all its persons consent. It never takes anybody in.
2. New cohorts hold only data that the lineage has never shown, at least k of them, with ℓ. Who are fewer wait.
3. A touched cohort (somebody left, changed, or no purpose is common to all) stays out. The touched cohorts of one
   class come back together as one new cohort of the rest R, without the persons T who went, once both have k
   persons and ℓ values and the sum over atoms a of min(|T ∩ a|, |R ∩ a|) is at least k. Likewise when R falls in
   two by what it consents to: each of the three against the other two (`catalog.regroup`).

Then **no linear combination of any answers, to any versions, revisions and purposes, depends on the data of fewer
than k persons**, unless on nobody's. Every answer is made of whole cohorts, and a withdrawal takes whole cohorts
out; so it is to be shown that no combination w of all cohorts ever made, as functions on the data, is other than 0
on fewer than k persons. By induction, version by version. If w uses no cohort made last, it was so before. If it
uses a new one (2), w is its coefficient on all its data, for nothing else covers them. If it uses a returned one
(3), what earlier cohorts give to w is the same on all of an atom, and the returned one adds b ≠ 0 on R only: in
every atom w is other than 0 on the whole of T or of R, together on k persons. (With nobody in T the returned
cohort is a sum of earlier ones. A person with two data in a class is counted once.)

ℓ is asked of more than cohorts, for one can be told from another by when it came and went. Whoever was seen for
one set of purposes and is seen for another, or no more, is in a *pool* with those of a returned batch who did
alike. One purpose sees pools come and go, so each has ℓ values by itself. And in rows mode, where values are
seen, whoever knows in which cohorts and pools a person stood keeps what all of them showed
(`catalog.candidates`): each atom, whether it returns or goes, and each person in a new cohort who was something
else before and still has one of those values, is left with ℓ of these.
Proof: an atom's candidates are kept from version to version as an
intersection over all that any of its persons stood in, so whoever intersects for one person is left with those at
least. Who would be left with fewer in a new cohort waits, and the others are dealt without her; returned ones
wait likewise.

A measure has its own sum over atoms, of the persons who have a value; where it falls short, the returned cohort
withholds that measure.

Unit row: persons cannot be followed. A record of the new file that is alike in class and values continues a record
shown before, for what files show is then the same; rule and proof hold for records.

Arrays only, no input or output: this runs in the second jail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.cohorts import Ints, at_levels
from catalog.past import CHANGED, Past


@dataclass(frozen=True, slots=True)
class Now:
    """Those persons of the new file who consent to something: class at each level, values, purposes."""

    classes: list[Ints]
    digest: Ints
    mask: Ints


def living(past: Past, now: Now, *, followed: bool) -> Ints:
    """For each datum the row that is it still, or why there is none. `followed`: rows name persons."""
    if not followed:
        return _alike(past, now)
    row = past.row.astype(np.int32)
    there = np.flatnonzero(row >= 0)
    row[there[~_same(past, now, there, row[there])]] = CHANGED
    alive = np.flatnonzero(row >= 0)
    if not len(alive) or np.bincount(row[alive]).max() == 1:
        return row
    by = alive[np.lexsort((past.cohort[alive], row[alive]))]
    row[by[1:][row[by[1:]] == row[by[:-1]]]] = CHANGED
    return row


def _same(past: Past, now: Now, data: Ints, row: Ints) -> Ints:
    cohort = past.cohort[data]
    number = at_levels([c[row] for c in now.classes], past.level[cohort])
    result: Ints = (number == past.classes[cohort]) & (now.digest[row] == past.digest[data])
    return result


def _alike(past: Past, now: Now) -> Ints:
    """Records of one class and the same values are paired in any order: nothing shown tells them apart."""
    row = np.full(len(past.digest), CHANGED, dtype=np.int64)
    free = np.ones(len(now.mask), dtype=bool)
    standing = np.minimum(past.level, len(now.classes) - 1)[past.cohort]
    for level, numbers in enumerate(now.classes):
        data = np.flatnonzero(standing == level)
        rows = np.flatnonzero(free)
        found = _pair(
            _both(past.classes[past.cohort[data]], past.digest[data]), past.cohort[data],
            _both(numbers[rows], now.digest[rows]),
        )  # fmt: skip
        data, rows = data[found >= 0], rows[found[found >= 0]]
        same = _same(past, now, data, rows)
        row[data[same]] = rows[same]
        free[rows[same]] = False
    return row


def _both(first: Ints, second: Ints) -> Ints:
    with np.errstate(over="ignore"):
        mixed: Ints = first * np.uint64(0x9E3779B97F4A7C15) ^ second
    return mixed


def _pair(keys: Ints, order: Ints, other: Ints) -> Ints:
    """For each key a place in `other` that holds the same, none used twice, by `order`; −1 where none is left."""
    by = np.lexsort((order, keys))
    wanted = keys[by]
    nth = np.arange(len(by)) - np.searchsorted(wanted, wanted)
    there = np.argsort(other, kind="stable")
    held = other[there]
    place = np.searchsorted(held, wanted) + nth
    found = np.full(len(keys), -1, dtype=np.int64)
    inside = place < len(held)
    hit = np.flatnonzero(inside)[held[place[inside]] == wanted[inside]]
    found[by[hit]] = there[place[hit]]
    return found
