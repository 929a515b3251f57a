"""A register with two measures, their product and bands, as an analyst asks it; and whom each answer is about.

Every answer is a sum over unknowns: of each person (as she was) that she is there, has a value, the value, its
square, the product. Only we know whose unknowns went into it; `Register.ask` checks that they add up to what is
told.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from catalog.cohorts import Ints
from catalog.publish import Publication
from catalog.storage import Store
from catalog.subjects import Subjects
from sandbox.disclosure.row_filter import condition
from sandbox.job import Column, RowFilter, TableSchema
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from tests.catalog.conftest import pseudonymise
from tests.catalog.observer import Datum
from tests.catalog.small import HEAD, Row, publish_rows

K = 5
HEADER = ["key", "place", "illness", "visits", "cost", "study", "product"]
MANIFEST = f"""{HEAD.replace("mode: rows", "mode: aggregate")}max_left_out_share: 0.5
cross_products: [[visits, cost]]
columns:
  - {{name: key, role: identifier, personal: basic}}
  - {{name: place, role: quasi-identifier, meaning: {{vi: Nơi, en: Place}}, fallback: {{drop: true}}}}
  - {{name: illness, role: sensitive, personal: sensitive, meaning: {{vi: Bệnh, en: Illness}}}}
  - {{name: visits, type: integer, role: measure, meaning: {{vi: Lượt khám, en: Visits}},
     transform: {{clamp: [0, 50]}}, bands: [4, 7]}}
  - {{name: cost, type: number, role: measure, meaning: {{vi: Chi phí, en: Cost}}, transform: {{clamp: [0, 90]}}}}
"""
SMALL = TableSchema(
    name="small", mode="aggregate", pairs=(("visits", "cost"),), tells_level=True,
    columns=(
        Column(name="place", type="VARCHAR"), Column(name="visits_band", type="VARCHAR"),
        Column(name="visits", type="BIGINT", kind="measure"), Column(name="cost", type="DOUBLE", kind="measure"),
    ),
)  # fmt: skip
OWN = TableSchema(
    name="mine", mode="rows", columns=(Column(name="code", type="VARCHAR"), Column(name="size", type="BIGINT"))
)
PLACES = ("Huế", "Hà Nội")
TOLD = (
    "count(*)", "count(visits)", "sum(visits)", "sum(visits * visits)", "count(cost)", "sum(cost)",
    "sum(visits * cost)", "regr_count(cost, visits)", "regr_count(cost, visits) * regr_avgx(cost, visits)",
    "sum(visits + cost)",
)  # fmt: skip


def person(draw: random.Random, number: int) -> Row:
    """Mostly both values or none, but not always."""
    visits = draw.choice(["", *(str(draw.randint(0, 9)) for _ in range(9))])
    cost = draw.choice(["", f"{draw.randint(0, 80) / 2:g}"]) if draw.random() < 0.15 else (
        visits and f"{int(visits) * 3 + draw.randint(0, 20) / 2:g}")  # fmt: skip
    return [
        f"P{number:05d}", draw.choice([*PLACES, PLACES[0]]), draw.choice(["cúm", "sởi"]), visits, cost,
        draw.choice(["có", "có", "không"]), draw.choice(["có", "không"]),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who stands in it, and what its record says: place, band, level, which sums (two measures, the pair)."""

    people: tuple[Datum, ...]
    place: str | None
    band: str | None
    level: str
    told: tuple[bool, bool, bool]


@dataclass(slots=True)
class Register:
    """What was answered so far: a row of `equations` an answer, a column an unknown."""

    store: Store
    folder: Path
    made: Publication | None = None
    cohorts: dict[int, Cohort] = field(default_factory=dict)
    equations: list[dict[tuple[Datum, str], float]] = field(default_factory=list)
    connection: duckdb.DuckDBPyConnection = field(default_factory=partial(duckdb.connect, config={"threads": 1}))

    def publish(self, rows: list[Row]) -> None:
        """The next version."""
        previous = self.made.version.id if self.made else None
        self.made = publish_rows(
            self.store, self.folder, rows, manifest=MANIFEST, header=HEADER, previous=previous
        )
        self.cohorts = dict(self._cohorts(rows, self.made))

    def _cohorts(self, rows: list[Row], made: Publication) -> Iterator[tuple[int, Cohort]]:
        version = made.version
        names, number = Subjects(self.store.private(version.id) / "subjects.bin").all()
        called = dict(zip((n.tobytes() for n in names), number.tolist(), strict=True))
        people: dict[int, list[Datum]] = {}
        for row, name in zip(rows, pseudonymise([r[0] for r in rows]), strict=True):
            if name in called:
                people.setdefault(called[name], []).append((row[0], tuple(row[2:5])))
        ranges = np.load(self.store.private(version.id) / "cohorts.npy").tolist()
        parts = [parquet.read_table(self.store.public(version.id) / p.name).to_pylist() for p in version.parts]
        for cohort, (part, at, _) in enumerate(ranges):
            record = parts[part][at]
            told = tuple(record[name] is not None for name in ("visits__sum", "cost__sum", "visits__cost__sumxy"))
            yield cohort, Cohort(
                tuple(people[cohort]), record["place"], record["visits_band"], record["cohort_level"], told,  # type: ignore[arg-type]
            )  # fmt: skip

    def ask(self, draw: random.Random) -> None:
        """One question over what somebody may see now, after some have withdrawn; joined, or not."""
        assert self.made is not None
        version = self.made.version
        purpose = draw.choice([None, "research.academic", "product.rnd"])
        gone = frozenset(draw.sample(sorted(self.cohorts), min(len(self.cohorts) - 1, draw.choice([0, 0, 1, 2]))))
        revision = self.store.revision(version.id, purpose=purpose, excluded=gone, number=draw.getrandbits(60))
        if not revision.parts:
            return
        places = draw.choice([*((p,) for p in PLACES), PLACES])
        where, chosen = _filter(draw)
        agreed, lets = _agreed(draw)
        times = {p: draw.choice([1, 2, 3]) if p in places else 0 for p in PLACES}
        weights: dict[str | None, float] = dict(times.items())
        lines = [f"SELECT '{p}' AS place" for p, often in times.items() for _ in range(often)]
        sql = f"WITH w AS ({' UNION ALL '.join(lines)}) SELECT {', '.join(TOLD)} FROM small s JOIN w USING (place)"
        way = draw.random()
        if way < 0.3:
            weights = {p: float(p in places) for p in PLACES} | {None: float(len(places) == 2)}
            none = " OR place IS NULL" if len(places) == 2 else ""
            sql = f"SELECT {', '.join(TOLD)} FROM small WHERE (place IN {(*places, '')}{none})"
        elif way < 0.7:
            sql, weights = self._by_own_table(draw)
        plan = plan_query(f"{sql}{' AND ' if ' WHERE (place' in sql else ' WHERE '}{where}", [SMALL, OWN])
        sources = {"small": list(revision.parts), "mine": [str(self.folder / "mine.parquet")]}
        (told,) = self.connection.execute(
            render(plan, sources, {"small": condition(agreed)} if agreed else {})
        ).fetchall()
        shown = {
            i for i in range(len(self.cohorts))
            if i not in gone and (purpose is None or purpose in self.store.purposes_of(version.id, i))
        }  # fmt: skip
        about = [
            (c, weights.get(c.place, 0)) for i, c in self.cohorts.items() if i in shown and chosen(c) and lets(c)
        ]
        for row, answer in zip(_unknowns(about), told, strict=True):
            assert np.isclose(sum(w * _value(*u) for u, w in row.items()), float(answer or 0)), (sql, where)
            if row:
                self.equations.append(row)

    def _by_own_table(self, draw: random.Random) -> tuple[str, dict[str | None, float]]:
        """Joined with, or chosen by, an own table of other codes too, some twice, some of none."""
        lines = [(draw.choice([*PLACES, "Đà Lạt", None]), draw.randint(1, 4)) for _ in range(draw.randint(1, 6))]
        codes, sizes = (list(column) for column in zip(*lines, strict=True))
        mine = pa.table({"code": pa.array(codes, pa.string()), "size": pa.array(sizes, pa.int64())})
        parquet.write_table(mine, self.folder / "mine.parquet")
        least, head = draw.randint(1, 4), f"SELECT {', '.join(TOLD)} FROM small s"
        often: dict[str | None, float] = {}
        often |= {p: float(sum(c == p and size >= least for c, size in lines)) for p in PLACES}
        any_of = f"SELECT 1 FROM mine m WHERE (m.code = s.place AND m.size >= {least})"
        match draw.choice(["join", "left", "in", "exists", "not exists"]):
            case "join":
                return f"{head} JOIN mine m ON m.code = s.place AND m.size >= {least}", {**often}
            case "left":
                joined = f"{head} LEFT JOIN mine m ON m.code = s.place AND m.size >= {least}"
                return joined, {None: 1.0} | {p: max(times, 1.0) for p, times in often.items()}
            case "in":
                chosen = f"(place IN (SELECT code FROM mine WHERE size >= {least}))"
                return f"{head} WHERE {chosen}", {p: float(times > 0) for p, times in often.items()}
            case "exists":
                chosen = f"(place IS NOT NULL) AND EXISTS ({any_of})"
                return f"{head} WHERE {chosen}", {p: float(times > 0) for p, times in often.items()}
        none = {None: 1.0} | {p: float(times == 0) for p, times in often.items()}
        return f"{head} WHERE (place = place OR TRUE) AND NOT EXISTS ({any_of})", none

    def matrix(self) -> tuple[Ints, list[str]]:
        """Equations × unknowns, and whose each unknown is."""
        unknowns = list(dict.fromkeys(u for row in self.equations for u in row))
        place = {u: i for i, u in enumerate(unknowns)}
        found = np.zeros((len(self.equations), len(unknowns)))
        for equation, row in zip(found, self.equations, strict=True):
            for unknown, weight in row.items():
                equation[place[unknown]] = weight
        return found, [datum[0] for datum, _ in unknowns]


def _filter(draw: random.Random) -> tuple[str, Callable[[Cohort], bool]]:
    """A condition on bands or levels, in SQL and in Python."""
    filters: list[tuple[str, Callable[[Cohort], bool]]] = [
        ("TRUE", lambda _: True), ("cohort_level = 'fine'", lambda c: c.level == "fine"),
        ("cohort_level <> 'fine'", lambda c: c.level != "fine"),
        ("visits_band = '4-6'", lambda c: c.band == "4-6"),
        ("visits_band IS NULL", lambda c: c.band is None), ("visits_band > '4'", lambda c: (c.band or "") > "4"),
    ]  # fmt: skip
    return draw.choice(filters)


def _agreed(draw: random.Random) -> tuple[list[RowFilter], Callable[[Cohort], bool]]:
    """The filter of the agreement that is asked under: the analyst has several, each with its own."""
    place, band = draw.choice([None, None, *PLACES]), draw.choice([None, None, None, "4-6"])
    filters = [
        RowFilter(column=column, type="VARCHAR", values=(value,))
        for column, value in (("place", place), ("visits_band", band)) if value
    ]  # fmt: skip
    return filters, lambda c: (place is None or c.place == place) and (band is None or c.band == band)


def _value(datum: Datum, what: str) -> float:
    visits, cost = (float(v) if v else None for v in datum[1][1:])
    return {
        "1": 1.0, "has visits": float(visits is not None), "visits": visits or 0.0,
        "has cost": float(cost is not None), "visits²": (visits or 0.0) ** 2, "cost": cost or 0.0,
        "product": (visits or 0.0) * (cost or 0.0),
    }[what]  # fmt: skip


def _unknowns(about: list[tuple[Cohort, float]]) -> Iterator[dict[tuple[Datum, str], float]]:
    """Of each of TOLD what it adds up. That somebody has no value is known or not; her value is none then."""

    def of(shown: tuple[int, ...], *features: str) -> dict[tuple[Datum, str], float]:
        return {
            (datum, feature): weight
            for cohort, weight in about if weight and all(cohort.told[i] for i in shown)
            for datum in cohort.people for feature in features
            if feature[0] in "1h" or _value(datum, _HAS[feature])
        }  # fmt: skip

    yield of((), "1")
    yield of((0,), "has visits")
    yield of((0,), "visits")
    yield of((0,), "visits²")
    yield of((1,), "has cost")
    yield of((1,), "cost")
    yield of((2,), "product")
    yield of((2,), "has visits")
    yield of((2,), "visits")
    yield of((2,), "visits", "cost")


_HAS = {"visits": "has visits", "visits²": "has visits", "cost": "has cost", "product": "has visits"}
