"""Each figure is what its definition says, worked out here in plain Python over any small table."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.jailed.engine import open_engine
from catalog.jailed.risk import measured
from catalog.risk.figures import PopulationRisk, Risk, SensitiveRisk

Row = tuple[str | None, int | None, str | None, int | None]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["Huế", "Hà Nội", None]),
        st.sampled_from([1, None]),
        st.sampled_from(["cúm", "sởi", "lao", None]),
        st.sampled_from([2, 3, 5, 8, 13, None]),
    ),
    min_size=1,
    max_size=40,
)
FAR: list[Row] = [*(("Huế", 1, "cúm", d) for d in (2, 5, *[13] * 8)), *([("Hà Nội", 1, "cúm", 2)] * 10)]
"""In Huế fewer than everywhere have at most 5 days, and it is farther off than Hà Nội."""


def near(value: Any) -> Any:
    return pytest.approx(value, rel=0, abs=1e-9)


def of(rows: list[Row], population: dict[tuple[Any, ...], int] | None = None) -> Risk | str:
    """As measured; or the fault."""
    labels, kinds = ["q0", "q1", "s0", "s1"], [pa.string(), pa.int64(), pa.string(), pa.int64()]
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    engine = open_engine()
    engine.register("persons", pa.table(columns, labels))
    sql = ""
    if population is not None:
        keys = [pa.array(c, kind) for c, kind in zip(zip(*population, strict=True), kinds[:2], strict=True)]
        engine.register("population", pa.table([*keys, list(population.values())], ["q0", "q1", "n"]))
        sql = "FROM population"
    reply = measured(engine, "FROM persons", 2, ["illness", "days"], sql)
    return reply.risk if reply.risk is not None else reply.fault


def classes_of(rows: list[Row], column: int) -> tuple[dict[Any, Counter[Any]], Counter[Any]]:
    """The known values of each class, and of all."""
    classes: dict[Any, Counter[Any]] = defaultdict(Counter)
    for row in rows:
        classes[row[:2]].update([] if row[column] is None else [row[column]])
    return classes, sum(classes.values(), Counter())


def check(found: SensitiveRisk, rows: list[Row], column: int, l: int, *, ordered: bool) -> None:
    classes, everybody = classes_of(rows, column)
    order, total = sorted(everybody), everybody.total()
    shares = {v: everybody[v] / total for v in order}
    told = [c for c in classes.values() if c]
    some = len(told) == len(classes)
    assert found.l == min(len(c) for c in classes.values())
    if not told:
        return
    entropies = [-sum(n / c.total() * math.log(n / c.total()) for n in c.values()) for c in told]
    apart = [[c[v] / c.total() - shares[v] for v in order] for c in told]
    t = max(sum(abs(d) for d in one) / 2 for one in apart)
    moved = max(sum(abs(sum(one[: i + 1])) for i in range(len(order))) / max(len(order) - 1, 1) for one in apart)
    beta = max(max(d / p for d, p in zip(one, shares.values(), strict=True)) for one in apart)
    assert found.alpha == near(max(max(c.values()) / c.total() for c in told))
    assert found.entropy_l == near(math.exp(min(entropies) if some else 0))
    assert found.t == near(t if some else 1.0)
    assert found.t_ordered == (near(moved) if ordered else None)
    assert found.beta == near(beta)
    assert found.enhanced_beta == near(min(beta, -math.log(min(shares.values()))))
    logs = [abs(math.log(c[v] / c.total() / shares[v])) for c in told for v in c]
    assert found.delta == near(max(logs))
    counts = [sorted(c.values(), reverse=True) for c in told]
    c = max((one[0] / sum(one[l - 1 :]) for one in counts), default=None) if l > 1 else None
    assert found.recursive_c == (None if c is None else near(c))


@given(rows=ROWS)
@example(rows=FAR)
def test_figures_are_those_of_their_definitions(rows: list[Row]) -> None:
    risk = of(rows)
    assert isinstance(risk, Risk)
    sizes = Counter(row[:2] for row in rows)
    assert (risk.persons, risk.classes, risk.k) == (len(rows), len(sizes), min(sizes.values()))
    assert risk.unique_share == sum(n == 1 for n in sizes.values()) / len(rows)
    assert (risk.prosecutor_highest, risk.prosecutor_average) == (1 / risk.k, len(sizes) / len(rows))
    assert (sum(b.classes for b in risk.sizes), sum(b.persons for b in risk.sizes)) == (len(sizes), len(rows))
    assert risk.l is not None
    for found, column, ordered in zip(risk.sensitive, (2, 3), (False, True), strict=True):
        check(found, rows, column, risk.l, ordered=ordered)


@given(rows=ROWS, more=st.lists(st.integers(0, 3), min_size=6, max_size=6), lost=st.booleans())
def test_against_a_population_each_figure_is_that_of_its_definition(
    rows: list[Row], more: list[int], lost: bool
) -> None:
    sizes: Counter[tuple[Any, ...]] = Counter(row[:2] for row in rows)
    everywhere = [(place, one) for place in ("Huế", "Hà Nội", None) for one in (1, None)]
    population = {key: sizes[key] + n for key, n in zip(everywhere, more, strict=True) if sizes[key] + n}
    if lost:
        population[rows[0][:2]] = sizes[rows[0][:2]] - 1
        assert of(rows, population) == "population", "it has fewer in a class than the table"
        return
    risk = of(rows, population)
    assert isinstance(risk, Risk)
    marketer = sum(n / population[key] for key, n in sizes.items()) / len(rows)
    assert risk.population == PopulationRisk(
        persons=sum(population.values()),
        unique_share=sum(population[key] == 1 for key in sizes) / len(rows),
        journalist_highest=1 / min(population[key] for key in sizes),
        journalist_average=near(max(len(sizes) / sum(population[key] for key in sizes), marketer)),
        marketer=near(marketer),
        presence=near(
            (
                min(sizes[key] / n for key, n in population.items()),
                max(n / population[k] for k, n in sizes.items()),
            )
        ),
    )


def test_no_row_has_no_figures() -> None:
    engine = open_engine()
    engine.execute("CREATE OR REPLACE TEMP TABLE nobody (q0 VARCHAR)")
    assert measured(engine, "FROM nobody", 1, []).fault == "rows"
