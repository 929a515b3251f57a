"""Which cohorts of earlier versions are carried, which come back as others, which stay out (`catalog.lineage`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from catalog.candidates import Former, Pools, pools, stayed
from catalog.cohorts import Codes, Ints, distinct_values
from catalog.past import (
    CARRIED,
    DISSOLVED,
    LEFT,
    OUT_CHANGED,
    OUT_CONSENT,
    OUT_LEFT,
    OUT_SHORT,
    RETIRED,
    SILENT,
    Past,
)

_GROUPS = 3
"""0: who is to go; 1 and 2: those who stay, by what they consent to."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`cohort`: of each person, −1 where none yet. `level`, `masks`, `given` (× measures): of each of these
    cohorts. `fate`: of each past cohort; `number`: which of these cohorts a carried one is, else −1. `core`: of
    past atoms, now that some went, what their persons could have (`catalog.candidates`)."""

    cohort: Ints
    level: Ints
    masks: Ints
    given: Ints
    fate: Ints
    number: Ints
    core: Ints


@dataclass(frozen=True, slots=True)
class _Common:
    """Of each past cohort: its data and those that live, the purposes of all, whether some have more of them."""

    size: Ints
    alive: Ints
    mask: Ints
    mixed: Ints


def keep(
    past: Past, row: Ints, masks: Ints, sensitive: list[Codes], before: Former, *, k: int, l: int, narrow: bool
) -> Kept:
    """`row`: of each datum, negative where it lives no more; `masks`, `sensitive`: of each row of the new file;
    `before`: what its persons were; `narrow`: whether files show sensitive values."""
    common = _common(past, row, masks)
    complete = ~past.retired & (common.size > 0) & (common.alive == common.size)
    short = complete & ((common.size < k) | _plain(past, row, sensitive, l))
    whole = complete & ~short & (common.mask != 0)
    waiting, mixed = ~past.retired & ~whole, whole & common.mixed
    again = _Returning(past, row, masks, before, k, l, narrow)
    if waiting.any() or mixed.any():
        again.try_all(_kinds(past, row, masks, waiting | mixed), waiting=waiting, mixed=mixed)
    carried = np.flatnonzero(whole & ~again.dissolved)
    number = np.full(len(past.classes), -1, dtype=np.int64)
    number[carried] = np.arange(len(carried))
    cohort = np.full(len(masks), -1, dtype=np.int32)
    alive = np.flatnonzero(row >= 0)
    cohort[row[alive]] = np.where(
        again.target[alive] >= 0, again.target[alive] + len(carried), number[past.cohort[alive]]
    )
    return Kept(
        cohort=cohort,
        level=np.concatenate([past.level[carried], again.level]),
        masks=np.concatenate([common.mask[carried], again.masks]).astype(np.int32),
        given=np.concatenate([past.given[carried], again.given]),
        fate=_fates(past, row, common, short, number >= 0, again.dissolved),
        number=number,
        core=again.core,
    )


def _common(past: Past, row: Ints, masks: Ints) -> _Common:
    count = len(past.classes)
    alive = np.flatnonzero(row >= 0)
    cohort, mask = past.cohort[alive], masks[row[alive]]
    every, some = np.full(count, -1, dtype=np.int32), np.zeros(count, dtype=np.int32)
    np.bitwise_and.at(every, cohort, mask)
    np.bitwise_or.at(some, cohort, mask)
    return _Common(
        size=np.bincount(past.cohort, minlength=count), alive=np.bincount(cohort, minlength=count),
        mask=every, mixed=every != some,
    )  # fmt: skip


def _kinds(past: Past, row: Ints, masks: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """A number of each cohort's class and level; and one that also tells to what most of its persons consent."""
    data = np.flatnonzero(chosen[past.cohort] & (row >= 0))
    pairs, counts = np.unique((past.cohort[data].astype(np.int64) << 32) | masks[row[data]], return_counts=True)
    last = np.lexsort((counts, pairs >> 32))
    most = np.zeros(len(past.classes), dtype=np.uint64)
    most[pairs[last] >> 32] = pairs[last] & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        level = past.classes ^ past.level.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
        both = level * np.uint64(0x9E3779B97F4A7C15) ^ most
    return np.unique(level, return_inverse=True)[1], np.unique(both, return_inverse=True)[1]


def _plain(past: Past, row: Ints, sensitive: list[Codes], l: int) -> Ints:
    """Cohorts with fewer than ℓ values of some column: only if the manifest asks for more than it did."""
    alive = np.flatnonzero(row >= 0)
    bad = np.zeros(len(past.classes), dtype=bool)
    for column in sensitive:
        bad |= distinct_values(past.cohort[alive], column.codes[row[alive]], len(bad), column.size) < l
    return bad


def _fates(past: Past, row: Ints, common: _Common, short: Ints, carried: Ints, dissolved: Ints) -> Ints:
    count = len(past.classes)
    silent = np.bincount(past.cohort[row == SILENT], minlength=count) > 0
    left = np.bincount(past.cohort[row == LEFT], minlength=count) > 0
    none_in_common = (common.alive == common.size) & (common.mask == 0)
    fate = np.full(count, OUT_CHANGED, dtype=np.int8)
    fate[short] = OUT_SHORT
    fate[left] = OUT_LEFT
    fate[silent | none_in_common] = OUT_CONSENT
    fate[carried] = CARRIED
    fate[dissolved] = DISSOLVED
    fate[past.retired] = RETIRED
    return fate


@dataclass(frozen=True, slots=True)
class _Batch:
    """Data of cohorts that might come back: `kind` (class and level), `group` of each; a kind's `masks`."""

    data: Ints
    kind: Ints
    group: Ints
    masks: Ints
    more_masks: Ints


class _Returning:
    """Rule 3. `target`: of each datum the number of its new cohort, −1 for none."""

    def __init__(self, past: Past, row: Ints, masks: Ints, before: Former, k: int, l: int, narrow: bool) -> None:
        self.past, self.row, self.now, self.before, self.k, self.l = past, row, masks, before, k, l
        self.narrow, self.core = narrow, past.core
        self.kind, self.kinds = np.zeros(len(past.classes), dtype=np.int64), 1
        self.target = np.full(len(row), -1, dtype=np.int64)
        self.dissolved = np.zeros(len(past.classes), dtype=bool)
        self.level, self.masks = np.zeros(0, dtype=np.int8), np.zeros(0, dtype=np.int64)
        self.given = np.zeros((0, past.given.shape[1]), dtype=bool)

    def try_all(self, kinds: tuple[Ints, Ints], *, waiting: Ints, mixed: Ints) -> None:
        """The most at once first: all of a class, with cohorts of mixed consent too if nobody is lost by it."""
        by_class, by_consent = kinds
        for kind, chosen, groups, strict in (
            (by_class, waiting | mixed, 2, True), (by_consent, waiting | mixed, 2, True),
            (by_consent, waiting, 2, False), (by_consent, waiting, 1, False),
        ):  # fmt: skip
            self.kind, self.kinds = kind, int(kind.max()) + 1
            left = chosen & ~self._done()
            if left.any():
                batch = self._batch(left, groups)
                self._take(batch, self._sound(batch) & ~(strict & batch.more_masks))

    def _done(self) -> Ints:
        done = np.zeros(self.kinds, dtype=bool)
        done[self.kind[self.dissolved]] = True
        return done[self.kind]

    def _batch(self, chosen: Ints, groups: int) -> _Batch:
        data = np.flatnonzero(chosen[self.past.cohort])
        kind = self.kind[self.past.cohort[data]]
        alive = self.row[data] >= 0
        group = np.zeros(len(data), dtype=np.int64)
        group[alive], masks, more = self._frequent(kind[alive], self.now[self.row[data[alive]]], groups)
        cohort = self.past.cohort[data]
        useful = np.bincount(cohort, weights=group > 0, minlength=len(chosen)) > 0
        inside = useful[cohort]
        return _Batch(data[inside], kind[inside], group[inside], masks, more)

    def _frequent(self, kind: Ints, mask: Ints, groups: int) -> tuple[Ints, Ints, Ints]:
        """Group of each by its kind's most frequent masks (0: another mask); these masks; kinds that have more."""
        pairs, where, counts = np.unique((kind << 32) | mask, return_inverse=True, return_counts=True)
        of = pairs >> 32
        by = np.lexsort((-counts, of))
        rank = np.empty(len(pairs), dtype=np.int64)
        rank[by] = np.arange(len(pairs)) - np.searchsorted(of, of[by])
        masks = np.zeros((self.kinds, _GROUPS), dtype=np.int64)
        first = rank < groups
        masks[of[first], rank[first] + 1] = pairs[first] & 0xFFFFFFFF
        more = np.zeros(self.kinds, dtype=bool)
        more[of[~first]] = True
        return np.where(first, rank + 1, 0)[where], masks, more

    def _counts(self, batch: _Batch, chosen: Ints) -> tuple[Ints, Ints]:
        """Persons in each kind's groups, and sum over atoms of min(in the group, not in it)."""
        kind, group = batch.kind[chosen], batch.group[chosen]
        atoms, atom = np.unique(self.past.atom[batch.data[chosen]], return_inverse=True)
        of = np.zeros(len(atoms), dtype=np.int64)
        of[atom] = kind
        held = np.bincount(atom * _GROUPS + group, minlength=len(atoms) * _GROUPS).reshape(-1, _GROUPS)
        least = np.minimum(held, held.sum(axis=1, keepdims=True) - held)
        people = np.bincount(kind * _GROUPS + group, minlength=self.kinds * _GROUPS).reshape(-1, _GROUPS)
        crossing = np.stack([np.bincount(of, least[:, g], self.kinds) for g in range(_GROUPS)], axis=1)
        return people, crossing.astype(np.int64)

    def _apart(self, batch: _Batch, people: Ints, crossing: Ints) -> Ints:
        """Kinds whose groups nobody can tell apart but by k persons."""
        twice = np.bincount(batch.kind, self.past.again[batch.data], self.kinds).astype(np.int64)
        alone = people == people.sum(axis=1, keepdims=True)
        result: Ints = ((people == 0) | alone | (crossing - twice[:, None] >= self.k)).all(axis=1)
        return result

    def _sound(self, batch: _Batch) -> Ints:
        people, crossing = self._counts(batch, np.ones(len(batch.data), dtype=bool))
        sound = (people[:, 1] > 0) & self._apart(batch, people, crossing)
        sound &= ((people[:, 1:] == 0) | (people[:, 1:] >= self.k)).all(axis=1)
        found = self._pools(batch)
        sound[found.part[found.least < self.l] // _GROUPS] = False
        return sound

    def _pools(self, batch: _Batch) -> Pools:
        """Of all groups. A part of a kind: where no cohort has persons in both groups, what each group came
        from."""
        cohort = self.past.cohort[batch.data]
        into = np.bincount(cohort * _GROUPS + batch.group, minlength=len(self.past.classes) * _GROUPS) > 0
        into = into.reshape(-1, _GROUPS)[cohort]
        linked = np.bincount(batch.kind, into[:, 1] & into[:, 2], self.kinds)[batch.kind] > 0
        part = batch.kind * _GROUPS + np.where(linked, 0, np.where(into[:, 1], 1, 2))
        to = np.where(batch.group > 0, batch.kind * _GROUPS + batch.group, -1)
        return pools(
            self.past, batch.data, to, batch.masks.ravel(), part, self.row, self.before, narrow=self.narrow
        )

    def _take(self, batch: _Batch, sound: Ints) -> None:
        taken = sound[batch.kind] & (batch.group > 0)
        if self.narrow:
            whole = sound[batch.kind]
            whole_kinds = _Batch(
                batch.data[whole], batch.kind[whole], batch.group[whole], batch.masks, batch.more_masks
            )
            known = replace(self.past, core=self.core)
            self.core = stayed(known, whole_kinds.data, self._pools(whole_kinds))
        keys, target = np.unique(batch.kind[taken] * _GROUPS + batch.group[taken], return_inverse=True)
        self.target[batch.data[taken]] = target + len(self.masks)
        kind = keys // _GROUPS
        level = np.zeros(self.kinds, dtype=np.int8)
        level[self.kind] = self.past.level
        self.level = np.concatenate([self.level, level[kind]])
        self.masks = np.concatenate([self.masks, batch.masks[kind, keys % _GROUPS]])
        self.given = np.concatenate([self.given, self._measures(batch)[kind]])
        self.dissolved[self.past.cohort[batch.data[sound[batch.kind]]]] = True

    def _measures(self, batch: _Batch) -> Ints:
        """Kinds × measures: may the new cohorts show it? Else the difference would be of fewer than k values."""
        cohorts = np.unique(self.past.cohort[batch.data])
        may = np.zeros((self.kinds, self.past.given.shape[1]), dtype=bool)
        for measure in range(may.shape[1]):
            people, crossing = self._counts(batch, self.past.contributes[batch.data, measure])
            hidden = np.zeros(self.kinds, dtype=bool)
            hidden[self.kind[cohorts[~self.past.given[cohorts, measure]]]] = True
            alone = (people == people.sum(axis=1, keepdims=True)).any(axis=1)
            may[:, measure] = self._apart(batch, people, crossing) & ~(alone & hidden)
        return may
