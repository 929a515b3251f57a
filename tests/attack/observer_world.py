"""A register of 2,000 persons as an observer meets it: every state of it that differs in one person, and what the
files of that state would let be seen.

States are played side by side: WORLDS of them are one register with one more quasi-identifier, which tells the
worlds apart and which no file shows. So one call of the real code makes the next version of each. Files are not
written for each; a test compares some with real ones, and some worlds with their state played alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.jailed import forming
from catalog.jailed.coding import Coded, code_column
from catalog.jailed.digests import digests
from catalog.jailed.measures import read_measure
from catalog.jailed.mixing import mix, stable
from catalog.past import LEFT, SILENT, Past
from catalog.transforms import Transform
from catalog.wire import AnonymiseColumn, AnonymiseOrder
from tests.attack.observer_files import DATUM_ROOM, RECORD_ROOM, ROW_ROOM, Files
from tests.catalog.small import HEAD, VISITS

COUNT = 2_000
K = 5
WORLDS = 50
NAMES = ("key", "place", "age", "sex", "illness", "visits", "study", "product")
Person = tuple[str, str, int, str, str, int | None, str, str]
MANIFEST = f"""{HEAD}max_left_out_share: 0.3
columns:
  - {{name: key, role: identifier, personal: basic}}
  - {{name: place, role: quasi-identifier, meaning: {{vi: Nơi, en: Place}}, fallback: {{drop: true}}}}
  - {{name: age, type: integer, role: quasi-identifier, meaning: {{vi: Tuổi, en: Age}},
     transform: {{bins: [30, 45, 60]}}, fallback: [{{bins: [45]}}, {{drop: true}}]}}
  - {{name: sex, role: quasi-identifier, meaning: {{vi: Giới, en: Sex}}, fallback: [null, null, {{drop: true}}]}}
  - {{name: illness, role: sensitive, personal: sensitive, meaning: {{vi: Bệnh, en: Illness}}}}
"""
AGGREGATE_MANIFEST = MANIFEST.replace("mode: rows", "mode: aggregate") + VISITS
_WORLD_BITS = 54


def person(draw: random.Random, number: int) -> Person:
    """One of 5 × 4 × 2 fine classes, those of one place too small, with one of five illnesses, one rare."""
    return (
        f"P{number:05d}", draw.choice(["Huế", "Hà Nội", "Cần Thơ", "Đà Lạt"] * 6 + ["Côn Đảo"]),
        draw.randint(18, 80), draw.choice(["nam", "nữ"]),
        draw.choice(["cúm"] * 40 + ["sởi"] * 30 + ["lao"] * 20 + ["gan"] * 9 + ["hủi"]),
        draw.choice([None, *range(12)]), draw.choice(["có", "có", "không"]), draw.choice(["có", "không"]),
    )  # fmt: skip


def consents(row: Person) -> int:
    """The purposes as bits."""
    return (row[6] == "có") | (row[7] == "có") << 1


@dataclass(frozen=True, slots=True)
class State:
    """Rows that are in the register, what their persons are called (a number), and to what they consent."""

    chosen: Ints
    called: Ints
    mask: Ints


@dataclass(frozen=True, slots=True)
class Played:
    """The next version of each of several states. Of all of them at once: the cohort of each person (−1: none),
    the record of each who is shown, the record of each cohort."""

    files: list[Files]
    cohort: Ints
    rows: Ints
    records: Ints


@dataclass(slots=True)
class World:
    """Everybody who occurs in some state, coded once; what the lineage has shown, once in each world."""

    everybody: Sequence[Person]
    past: Past | None = None
    names: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """The person of each datum of the past."""
    order: AnonymiseOrder = field(init=False)
    mask: Ints = field(init=False)
    _dimensions: list[Coded] = field(init=False)
    _persons: forming.Persons = field(init=False)
    _tiled: Past | None = field(init=False)
    _visits: Ints = field(init=False)

    def __post_init__(self) -> None:
        columns = list(zip(*self.everybody, strict=True))
        table = pa.table({
            "place": pa.array(columns[1]), "age": pa.array(columns[2], pa.int64()), "sex": pa.array(columns[3]),
            "illness": pa.array(columns[4]), "visits": pa.array(columns[5], pa.int64()),
        })  # fmt: skip
        bins = Transform(bins=(30.0, 45.0, 60.0)), Transform(bins=(45.0,))
        asked = (
            AnonymiseColumn(
                name="place", type="VARCHAR", role="quasi-identifier", coarser=(Transform(drop=True),)
            ),
            AnonymiseColumn(
                name="age",
                type="BIGINT",
                role="quasi-identifier",
                fine=bins[0],
                coarser=(bins[1], Transform(drop=True)),
            ),
            AnonymiseColumn(
                name="sex", type="VARCHAR", role="quasi-identifier", coarser=(None, None, Transform(drop=True))
            ),
            AnonymiseColumn(name="illness", type="VARCHAR", role="sensitive"),
            AnonymiseColumn(name="visits", type="BIGINT", role="measure", fine=Transform(clamp=(0.0, 50.0))),
        )
        self.order = AnonymiseOrder(
            columns=asked, hierarchies={}, mode="aggregate", k=K, l=2, max_left_out_share=0.3, followed=True,
            seed=b"", part_rows=10_000, row_group_rows=1_000,
        )  # fmt: skip
        sensitive = code_column(asked[3], table.column("illness"), {})
        measure = read_measure(asked[4], table.column("visits"))
        self._visits = np.where(measure.present, measure.values + 1, 0).astype(np.int64)
        self.mask = np.array([consents(row) for row in self.everybody], dtype=np.int32)
        count = len(self.everybody)
        world = AnonymiseColumn(name="world", type="BIGINT", role="quasi-identifier")
        self._dimensions = [
            *(code_column(c, table.column(c.name), {}) for c in asked[:3]),
            code_column(world, pa.chunked_array([range(WORLDS)]), {}),
        ]
        self._persons = forming.Persons(
            self._dimensions[:3], [sensitive], [measure], self.mask, np.arange(count),
            digests([sensitive], [measure], count),
        )  # fmt: skip
        self._tiled = _tiled(self.past) if self.past else None

    def _chosen(self, rows: Ints, world: Ints, mask: Ints) -> forming.Persons:
        every = self._persons
        measure = every.measures[0]

        def some(coded: Coded) -> Coded:
            return replace(coded, codes=coded.codes[rows])

        return forming.Persons(
            [*(some(c) for c in every.dimensions), replace(self._dimensions[3], codes=world)],
            [some(every.sensitive[0])],
            [replace(measure, values=measure.values[rows], present=measure.present[rows])],
            mask, np.arange(len(rows)), every.digest[rows],
        )  # fmt: skip

    def files(self, states: Iterable[State]) -> list[Files]:
        """The files of the next version of each."""
        every = list(states)
        return [f for at in range(0, len(every), WORLDS) for f in self.play(every[at : at + WORLDS]).files]

    def play(self, states: Sequence[State]) -> Played:
        """The next version of each of up to WORLDS states; a first one where there is no past."""
        world = np.repeat(np.arange(len(states)), [len(s.chosen) for s in states])
        rows, called, mask = (
            np.concatenate([getattr(s, name) for s in states]) for name in ("chosen", "called", "mask")
        )
        inside = np.flatnonzero(mask != 0)
        persons = self._chosen(rows[inside], world[inside], mask[inside])
        past = self._tiled
        if past is not None:
            everybody = 1 + int(called.max())
            place = np.full((WORLDS, everybody), LEFT, dtype=np.int64)
            place[world, called] = SILENT
            place[world[inside], called[inside]] = np.arange(len(inside))
            past = replace(past, row=place[:, self.names].ravel())
        formed = forming.form_cohorts(self.order, persons, past)
        numbers, records, first = _files(persons, formed)
        shown = inside[formed.cohort >= 0]
        data = np.ravel_multi_index((called[shown], self._visits[rows[shown]], numbers), DATUM_ROOM)
        world = world[shown]
        told = ((numbers, world), (records, world[first]), (data, world))
        apart = (_apart(every, of, len(states)) for every, of in told)
        files = [Files(*each) for each in zip(*apart, strict=True)]
        return Played(files, formed.cohort, numbers, records)


def _tiled(past: Past) -> Past:
    """What the lineage has shown, once in each world."""
    data, cohorts, atoms = len(past.digest), len(past.classes), len(past.generation)
    worlds = np.arange(WORLDS)
    numbers = np.array([stable(("world", int(w))) for w in worlds], dtype=np.uint64)

    def each(array: Ints) -> Ints:
        return np.concatenate([array] * WORLDS)

    return replace(
        past, digest=each(past.digest), cohort=each(past.cohort) + np.repeat(worlds, data) * cohorts,
        atom=each(past.atom) + np.repeat(worlds, data) * atoms, again=each(past.again),
        values=each(past.values), contributes=each(past.contributes),
        classes=mix(each(past.classes), np.repeat(numbers, cohorts)), level=each(past.level),
        retired=each(past.retired), given=each(past.given), purposes=each(past.purposes),
        generation=each(past.generation),
    )  # fmt: skip


def _shown(persons: forming.Persons, formed: forming.Formed, rows: Ints) -> list[Ints]:
    """Codes of place, age, sex and illness (−1: none) as a file shows them of these persons."""
    level = formed.level[formed.cohort[rows]]
    illness = persons.sensitive[0]
    return [
        *(np.choose(level, [c.level(i)[c.codes[rows]] for i in range(4)]) for c in persons.dimensions[:3]),
        np.where(formed.seen[0].stays[rows], illness.fine[illness.codes[rows]], -1),
    ]


def _files(persons: forming.Persons, formed: forming.Formed) -> tuple[Ints, Ints, Ints]:
    """As publication lays them out, by another way than it does: records of persons, of cohorts, a row of each."""
    rows = np.flatnonzero(formed.cohort >= 0)
    cohort, cohorts = formed.cohort[rows], len(formed.masks)
    place, age, sex, illness = _shown(persons, formed, rows)
    measure = persons.measures[0]
    amount = np.where(measure.present[rows], measure.values[rows], 0.0)
    sums = [np.bincount(cohort, w, cohorts) for w in (measure.present[rows], amount, amount * amount)]
    largest = np.zeros(cohorts)
    np.maximum.at(largest, cohort, amount)
    given = (sums[0] >= K) & (largest <= sums[1] / 2) & formed.given[:, 0]
    first = np.zeros(cohorts, dtype=np.int64)
    first[cohort] = np.arange(len(rows))
    told = (np.where(given, s + 1, 0).astype(np.int64) for s in sums)
    size = np.bincount(cohort, minlength=cohorts)
    records = np.ravel_multi_index((place[first], age[first], sex[first], size, *told, formed.masks), RECORD_ROOM)
    return np.ravel_multi_index((place, age, sex, illness + 1, formed.masks[cohort]), ROW_ROOM), records, first


def _apart(numbers: Ints, world: Ints, worlds: int) -> Iterator[Ints]:
    """The numbers of each world, ascending."""
    both = np.sort(world.astype(np.int64) << _WORLD_BITS | numbers)
    cuts = np.searchsorted(both, np.arange(worlds + 1) << _WORLD_BITS)
    return (both[a:b] & ((1 << _WORLD_BITS) - 1) for a, b in pairwise(cuts))
