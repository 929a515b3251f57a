"""Who stands with whom: cohorts that are carried or come back, then new ones of those who were never shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.candidates import Former, former, left_to_movers
from catalog.cohorts import Codes, Ints, class_keys, form, value_pairs
from catalog.jailed.coding import Coded, Seen, seen_values
from catalog.jailed.digests import class_numbers, value_numbers
from catalog.jailed.measures import Measure
from catalog.lineage import Now, living
from catalog.past import Past
from catalog.regroup import Kept, keep
from catalog.wire import AnonymiseOrder

_DEALS = 8
"""How often cohorts are dealt anew without those who would be given away; then without all who moved."""


@dataclass(frozen=True, slots=True)
class Persons:
    """Everybody who consented to something (or all, where consent is not the basis)."""

    dimensions: list[Coded]
    sensitive: list[Coded]
    measures: list[Measure]
    mask: Ints
    rank: Ints
    digest: Ints


@dataclass(frozen=True, slots=True)
class Formed:
    """`cohort`: of each person, −1 for none. Of each cohort: `level`, `masks` (purposes that all of it consent
    to), `given` (× measures: may its sums be shown). `lives`: of each past datum its person; `kept`: what became
    of past cohorts. `new`: persons whom no version has shown as they are."""

    cohort: Ints
    level: Ints
    masks: Ints
    given: Ints
    seen: list[Seen]
    new: Ints
    lives: Ints
    kept: Kept | None

    @property
    def sensitive(self) -> list[Codes]:
        return [s.codes for s in self.seen]


def form_cohorts(order: AnonymiseOrder, persons: Persons, past: Past | None) -> Formed:
    """By the rule of `catalog.lineage`; without a past, everybody is new."""
    everybody = np.ones(len(persons.mask), dtype=bool)
    measures = len(persons.measures)
    if past is None:
        seen = _seen(order, persons, everybody, np.zeros(len(everybody), dtype=np.int64), None)
        nothing = np.empty(0, dtype=np.int64)
        start = Formed(
            np.full(len(everybody), -1, dtype=np.int64), nothing.astype(np.int8), nothing.astype(np.int32),
            np.empty((0, measures), dtype=bool), seen, everybody, nothing, None,
        )  # fmt: skip
        people = np.flatnonzero(everybody)
        return _with_new(persons, start, people, *level_by_level(order, persons, start.sensitive, people))
    lives = living(past, _now(order, persons), followed=order.followed)
    alive = np.flatnonzero(lives >= 0)
    new = everybody.copy()
    new[lives[alive]] = False
    first = np.full(len(new), past.versions, dtype=np.int64)
    first[lives[alive]] = past.generation[past.atom[alive]]
    seen = _seen(order, persons, new, first, past)
    values, narrow = value_numbers(persons.sensitive, seen, len(persons.mask)), order.mode == "rows"
    before = former(past, lives, values, followed=order.followed)
    kept = keep(past, lives, persons.mask, [s.codes for s in seen], before, k=order.k, l=order.l, narrow=narrow)
    formed = Formed(kept.cohort, kept.level, kept.masks, kept.given, seen, new, lives, kept)
    before = before if narrow else Former(before.row[:0], before.atom[:0])
    return _with_new(persons, formed, *_apart_from_the_past(order, persons, formed, before))


def _now(order: AnonymiseOrder, persons: Persons) -> Now:
    classes = [
        class_numbers(persons.dimensions, [c.level(i)[c.codes] for c in persons.dimensions], len(persons.mask))
        for i in range(order.level_count)
    ]
    return Now(classes, persons.digest, persons.mask)


def _seen(order: AnonymiseOrder, persons: Persons, new: Ints, first: Ints, past: Past | None) -> list[Seen]:
    version, before = (past.versions, past.visible) if past else (0, {})
    return [
        seen_values(c, order.k, first=first, new=new, version=version, before=before.get(c.column.name, {}))
        for c in persons.sensitive
    ]


def _apart_from_the_past(
    order: AnonymiseOrder, persons: Persons, formed: Formed, before: Former
) -> tuple[Ints, Ints, Ints]:
    """Those who are new and placed, the cohort of each and each cohort's level.

    Whoever was something else before stands only where who knows that is left with ℓ values; else she waits.
    """
    people = np.flatnonzero(formed.new)
    moved = np.isin(people, before.row)
    if not moved.any():
        return people, *level_by_level(order, persons, formed.sensitive, people)
    assert formed.kept is not None  # somebody was in a version
    values = value_numbers(persons.sensitive, formed.seen, len(persons.mask))
    for _ in range(_DEALS):
        number, levels = level_by_level(order, persons, formed.sensitive, people)
        inside = np.flatnonzero(number >= 0)
        held, who = value_pairs(number[inside], values[people[inside]]), inside[moved[inside]]
        left = left_to_movers(held, number[who], people[who], before, formed.kept.core, values.shape[1])
        gives_away = np.isin(np.arange(len(people)), who[left < order.l])
        if not gives_away.any():
            return people, number, levels
        people, moved = people[~gives_away], moved[~gives_away]
    people = people[~moved]
    return people, *level_by_level(order, persons, formed.sensitive, people)


def _with_new(persons: Persons, formed: Formed, people: Ints, number: Ints, levels: Ints) -> Formed:
    cohort = formed.cohort.astype(np.int64)
    cohort[people] = np.where(number >= 0, number + len(formed.masks), -1)
    masks = np.zeros(len(levels), dtype=np.int32)
    masks[number[number >= 0]] = persons.mask[people[number >= 0]]
    return Formed(
        cohort=cohort,
        level=np.concatenate([formed.level, levels]),
        masks=np.concatenate([formed.masks, masks]),
        given=np.concatenate([formed.given, np.ones((len(levels), len(persons.measures)), dtype=bool)]),
        seen=formed.seen, new=formed.new, lives=formed.lives, kept=formed.kept,
    )  # fmt: skip


def level_by_level(
    order: AnonymiseOrder, persons: Persons, sensitive: list[Codes], people: Ints
) -> tuple[Ints, Ints]:
    """Cohort of each of `people` (−1: none) and each cohort's level. Who fits into none is tried at the next."""
    cohort = np.full(len(people), -1, dtype=np.int64)
    levels: list[int] = []
    for level in range(order.level_count):
        rest = np.flatnonzero(cohort < 0)
        formed, count = _form(order, persons, sensitive, people[rest], level)
        cohort[rest] = np.where(formed >= 0, formed + len(levels), -1)
        levels += [level] * count
    return cohort, np.array(levels, dtype=np.int8)


def _form(
    order: AnonymiseOrder, persons: Persons, sensitive: list[Codes], people: Ints, level: int
) -> tuple[Ints, int]:
    rank = persons.rank
    if len(people) < len(rank):
        rank = np.empty(len(people), dtype=np.int64)
        rank[np.argsort(persons.rank[people])] = np.arange(len(people))
    part = [Codes(s.codes[people], s.size) for s in sensitive]
    return form(coded_keys(persons, people, level=level), part, k=order.k, l=order.l, rank=rank)


def coded_keys(persons: Persons, people: Ints, *, level: int) -> Ints:
    """Class of each: the set of consented purposes and every quasi-identifier at that level."""
    masks, mask = np.unique(persons.mask[people], return_inverse=True)
    columns = [Codes(mask, len(masks))]
    for c in persons.dimensions:
        columns.append(Codes(c.level(level)[c.codes[people]], len(c.shown)))
    return class_keys(columns, len(people))
