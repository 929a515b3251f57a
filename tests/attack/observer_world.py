"""A register of 2,000 persons as an observer meets it: every state of it that differs in one person, and what the
files of that state would let be seen. Files are not written for each; a test compares some with real ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.jailed.coding import Coded, code_column
from catalog.jailed.digests import digests
from catalog.jailed.forming import Formed, Persons, form_cohorts
from catalog.jailed.measures import read_measure
from catalog.past import LEFT, Past
from catalog.transforms import Transform
from catalog.wire import AnonymiseColumn, AnonymiseOrder

COUNT = 2_000
K = 5
NAMES = ("key", "place", "age", "sex", "illness", "visits", "study", "product")
PURPOSES = ("research.academic", "product.rnd")
Cell = tuple[tuple[int, int], ...]
"""(column, code of the value), of each column of a table."""
Person = tuple[str, str, int, str, str, int | None, str, str]
MANIFEST = """
slug: world
title: {vi: Sổ, en: Register}
description: {vi: Để thử, en: For a test}
owner: test
licence: CC0-1.0
source: made up
themes: [test]
spatial: VN
temporal: 2025
update_frequency: irregular
population: nobody
privacy_unit: column
subject_key: key
mode: MODE
k: 5
max_left_out_share: 0.3
legal_basis: {kind: consent, law: test}
purposes: [research.academic, product.rnd]
consent: {research.academic: study, product.rnd: product}
offer: {base_vnd: 1000, per_gb_vnd: 1000}
columns:
  - {name: key, role: identifier, personal: basic}
  - {name: place, role: quasi-identifier, meaning: {vi: Nơi, en: Place}, fallback: {drop: true}}
  - {name: age, type: integer, role: quasi-identifier, meaning: {vi: Tuổi, en: Age}, transform: {bins: [30, 45,
  60]},
     fallback: {bins: [45]}}
  - {name: sex, role: quasi-identifier, meaning: {vi: Giới, en: Sex}}
  - {name: illness, role: sensitive, personal: sensitive, meaning: {vi: Bệnh, en: Illness}}
"""
MEASURE = """\
  - {name: visits, type: integer, role: measure, meaning: {vi: Lượt khám, en: Visits}, transform: {clamp: [0, 20]}}
"""


def person(draw: random.Random, number: int) -> Person:
    """One of 4 × 4 × 2 fine classes, with one of six illnesses, of which one is rare."""
    return (
        f"P{number:05d}", draw.choice(["Huế", "Hà Nội", "Cần Thơ", "Đà Lạt"]), draw.randint(18, 80),
        draw.choice(["nam", "nữ"]), draw.choice(["cúm"] * 40 + ["sởi"] * 30 + ["lao"] * 20 + ["gan"] * 9 +
        ["hủi"]),
        draw.choice([None, *range(12)]), draw.choice(["có", "có", "không"]), draw.choice(["có", "không"]),
    )  # fmt: skip


def consents(row: Person) -> int:
    """The purposes as bits."""
    return (row[6] == "có") | (row[7] == "có") << 1


@dataclass(frozen=True, slots=True)
class Files:
    """What the files of a version hold: `rows` (place, age, sex, illness as shown) as in rows mode, and
    `records`, one
    a cohort (place, age, sex, n, count, sum, sum of squares; −1 where withheld), with the purposes of each."""

    rows: Ints
    row_masks: Ints
    records: Ints
    record_masks: Ints


class World:
    """Everybody who occurs in some state, coded once; a state is a choice of rows and their masks."""

    def __init__(self, everybody: list[Person]) -> None:
        columns = list(zip(*everybody, strict=True))
        table = pa.table({
            "place": pa.array(columns[1]), "age": pa.array(columns[2], pa.int64()), "sex": pa.array(columns[3]),
            "illness": pa.array(columns[4]), "visits": pa.array(columns[5], pa.int64()),
        })  # fmt: skip
        bins = Transform(bins=(30.0, 45.0, 60.0)), Transform(bins=(45.0,))
        asked = (
            AnonymiseColumn(name="place", type="VARCHAR", role="quasi-identifier", coarse=Transform(drop=True)),
            AnonymiseColumn(name="age", type="BIGINT", role="quasi-identifier", fine=bins[0], coarse=bins[1]),
            AnonymiseColumn(name="sex", type="VARCHAR", role="quasi-identifier"),
            AnonymiseColumn(name="illness", type="VARCHAR", role="sensitive"),
            AnonymiseColumn(name="visits", type="BIGINT", role="measure", fine=Transform(clamp=(0.0, 20.0))),
        )
        self.order = AnonymiseOrder(
            columns=asked, hierarchies={}, mode="aggregate", k=K, l=2, max_left_out_share=0.3, followed=True,
            seed=b"", part_rows=10_000, row_group_rows=1_000,
        )  # fmt: skip
        self.dimensions = [code_column(c, table.column(c.name), {}) for c in asked[:3]]
        self.sensitive = code_column(asked[3], table.column("illness"), {})
        self.measure = read_measure(asked[4], table.column("visits"))
        self.digest = digests([self.sensitive], [self.measure], len(everybody))
        self.mask = np.array([consents(row) for row in everybody], dtype=np.int32)

    def persons(self, chosen: Ints, mask: Ints) -> Persons:
        """A state of the register."""

        def some(coded: Coded) -> Coded:
            return replace(coded, codes=coded.codes[chosen])

        measure = replace(self.measure, values=self.measure.values[chosen], present=self.measure.present[chosen])
        return Persons(
            [some(c) for c in self.dimensions], [some(self.sensitive)], [measure], mask,
            np.arange(len(chosen)), self.digest[chosen],
        )  # fmt: skip

    def next(self, past: Past, names: Ints, chosen: Ints, called: Ints, mask: Ints) -> tuple[Persons, Formed]:
        """The version after `past` of a state: rows `chosen`, persons `called`. `names`: the person of each
        datum."""
        inside = np.flatnonzero(mask != 0)
        chosen, called = chosen[inside], called[inside]
        row = np.full(2 * COUNT, LEFT, dtype=np.int64)
        row[called] = np.arange(len(called))
        persons = self.persons(chosen, mask[inside])
        return persons, form_cohorts(self.order, persons, replace(past, row=row[names]))


def files_of(persons: Persons, formed: Formed) -> Files:
    """As publication lays them out, by another way than it does."""
    rows = np.flatnonzero(formed.cohort >= 0)
    cohort, cohorts = formed.cohort[rows], len(formed.masks)
    shown = [
        np.where(formed.coarse[cohort], c.coarse[c.codes[rows]], c.fine[c.codes[rows]]) for c in persons.dimensions
    ]
    illness, measure = persons.sensitive[0], persons.measures[0]
    value = np.where(formed.seen[0].stays[rows], illness.fine[illness.codes[rows]], -1)
    amount = np.where(measure.present[rows], measure.values[rows], 0.0)
    sums = [np.bincount(cohort, w, cohorts) for w in (measure.present[rows], amount, amount * amount)]
    largest = np.zeros(cohorts)
    np.maximum.at(largest, cohort, amount)
    given = (sums[0] >= K) & (largest <= sums[1] / 2) & formed.given[:, 0]
    first = np.zeros(cohorts, dtype=np.int64)
    first[cohort] = np.arange(len(rows))
    return Files(
        rows=np.stack([*shown, value], axis=1), row_masks=formed.masks[cohort],
        records=np.stack(
            [*(s[first] for s in shown), np.bincount(cohort, minlength=cohorts),
             *(np.where(given, s, -1) for s in sums)], axis=1,
        ).astype(float),
        record_masks=formed.masks,
    )  # fmt: skip


def tables_that_differ(before: Files, after: Files, purpose: int) -> Iterator[dict[Cell, Ints]]:
    """Of all one- to three-way tables over what one purpose sees, the cells that are not as they were: by how many
    rows, or by n, count, sum and sum of squares."""
    rows, by = _moved(before.rows[(before.row_masks & purpose) != 0], after.rows[(after.row_masks & purpose) != 0])
    yield from _tables(rows, by[:, np.newaxis], 4)
    records, by = _moved(
        before.records[(before.record_masks & purpose) != 0], after.records[(after.record_masks & purpose) != 0]
    )
    yield from _tables(records[:, :3], by[:, np.newaxis] * np.maximum(records[:, 3:], 0), 3)


def _moved(before: Ints, after: Ints) -> tuple[Ints, Ints]:
    """Rows that occur more or less often than before, and by how much."""
    both = np.ascontiguousarray(np.concatenate([before, after]).astype(float) + 0.0)
    found, where = np.unique(both.view(f"V{8 * both.shape[1]}").ravel(), return_inverse=True)
    sign = np.concatenate([np.full(len(before), -1.0), np.full(len(after), 1.0)])
    by = np.bincount(where, sign, len(found))
    return found.view(float).reshape(-1, both.shape[1])[by != 0], by[by != 0]


def _tables(groups: Ints, amounts: Ints, ways: int) -> Iterator[dict[Cell, Ints]]:
    for columns in (c for size in (1, 2, 3) for c in combinations(range(ways), size)):
        cells: dict[Cell, Ints] = {}
        for group, amount in zip(groups, amounts, strict=True):
            cell = tuple((c, int(group[c])) for c in columns)
            cells[cell] = cells.get(cell, 0) + amount
        different = {cell: amount for cell, amount in cells.items() if amount.any()}
        if different:
            yield different
