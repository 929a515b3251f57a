"""The optimiser beside brute force: its optimum is the optimum, and what it says of a scheme is so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.anonymise.frontier import Frontier, OptimiseOrder
from catalog.anonymise.ladders import ladder_of
from catalog.transforms import Transform
from catalog.wire import AnonymiseColumn, AnonymiseOrder
from tests.catalog.anonymise.by_hand import Table, every_scheme, run_optimise
from tests.examples import tried
from tests.work import at_most

PLACES = (
    "Huế,Miền Trung,Việt Nam\nĐà Nẵng,Miền Trung,Việt Nam\nHà Nội,Miền Bắc,Việt Nam\nHải Phòng,Miền Bắc,Việt Nam"
)
COLUMNS = (
    AnonymiseColumn(name="age", type="BIGINT", role="quasi-identifier", fine=Transform(bins=(30.0, 60.0))),
    AnonymiseColumn(name="place", type="VARCHAR", role="quasi-identifier",
                    fine=Transform(hierarchy="places", level=1)),
    AnonymiseColumn(name="sex", type="VARCHAR", role="quasi-identifier"),
    AnonymiseColumn(name="illness", type="VARCHAR", role="sensitive"),
)  # fmt: skip
PERSON = st.tuples(
    st.one_of(st.none(), st.sampled_from([3, 10, 20, 30, 31, 45, 59, 60, 75, 90])),
    st.sampled_from(["Huế", "Đà Nẵng", "Hà Nội", "Hải Phòng", None]), st.sampled_from(["nam", "nữ"]),
    st.sampled_from(["cúm", "sởi", "lao", None]), st.sampled_from([1, 1, 1, 1, 2, 0]),
)  # fmt: skip
ALIKE = st.tuples(PERSON, st.integers(1, 8))
PERSONS = st.lists(ALIKE, min_size=4, max_size=14).map(lambda groups: [p for p, n in groups for _ in range(n)])


def order(k: int = 3, l: int = 2, share: float = 0.1) -> AnonymiseOrder:
    return AnonymiseOrder(
        columns=COLUMNS, hierarchies={"places": PLACES}, mode="rows", k=k, l=l, max_left_out_share=share,
        followed=True, seed=b"seed" * 8, part_rows=40, row_group_rows=16,
    )  # fmt: skip


def table_of(persons: list[tuple[Any, ...]]) -> pa.Table:
    ages, places, sexes, illnesses, _ = (list(c) for c in zip(*persons, strict=True))
    return pa.table({
        "age": pa.array(ages, pa.int64()), "place": pa.array(places, pa.string()).dictionary_encode(),
        "sex": pa.array(sexes, pa.string()), "illness": pa.array(illnesses, pa.string()),
    })  # fmt: skip


def ladders_of(table: Table) -> list[list[Transform | None]]:
    """The levels that the optimiser has to choose from."""
    found = []
    for column in table.columns:
        values = list(dict.fromkeys(table.values[column.name]))
        used = np.ones(len(values), dtype=bool)
        found.append(ladder_of(column, values, used, table.order.hierarchies).levels)
    return found


def check(frontier: Frontier, table: Table, asked: OptimiseOrder) -> None:
    """Every scheme is what it is said to be, holds what was promised, and is worth choosing."""
    total = len(table.masks)
    for node in frontier.nodes:
        said = {c.column: c for c in node.choices}
        choices = [said[c.name] for c in table.columns]
        seen = table.scheme(*zip(*(c.levels for c in choices), strict=True))
        assert (node.k, node.classes, node.left_out_persons) == (seen["k"], seen["classes"], seen["lost"])
        assert node.l == seen["l"] or seen["l"] is None
        assert node.t == pytest.approx(seen["t"])
        assert node.ncp == pytest.approx(seen["ncp"])
        assert node.discernibility == seen["discernibility"]
        assert node.fine_share == pytest.approx(seen["fine"] / max(total - seen["lost"], 1))
        assert node.risk == pytest.approx(node.classes / max(total - seen["lost"], 1))
        assert node.k >= table.order.k or node.classes == 0
        assert node.left_out_persons <= table.order.max_left_out_share * total
        assert asked.t is None or seen["t"] <= asked.t + 1e-9
    losses = [n.ncp if asked.measure == "ncp" else n.discernibility for n in frontier.nodes]
    assert losses == sorted(losses)
    assert all(a.risk > b.risk for a, b in zip(frontier.nodes, frontier.nodes[1:], strict=False))


@settings(max_examples=tried(5), deadline=None)
@given(PERSONS, st.sampled_from(["ncp", "discernibility"]), st.sampled_from([None, 0.4]), st.integers(1, 2))
def test_the_optimum_is_the_optimum_and_every_scheme_holds_k_l_t_and_the_share(
    persons: list[tuple[Any, ...]], measure: Any, t: float | None, l: int
) -> None:
    asked = OptimiseOrder(anonymise=order(l=l), measure=measure, t=t)
    masks = [p[4] for p in persons]
    frontier = run_optimise(asked, table_of(persons), masks)
    table = Table(asked.anonymise, table_of(persons), masks)
    schemes = [table.scheme(s) for s in every_scheme(ladders_of(table))] if table.masks else []
    holding = [
        s for s in schemes
        if s["lost"] <= 0.1 * len(table.masks) and (t is None or s["t"] <= t + 1e-9)
    ]  # fmt: skip
    if frontier.refusal is not None:
        assert len(table.masks) < 3 or not holding
        return
    assert frontier.proven
    assert frontier.least == pytest.approx(min(s[measure] for s in holding))
    assert frontier.bound == pytest.approx(frontier.least)
    best = frontier.nodes[0]
    assert (best.ncp if measure == "ncp" else best.discernibility) <= frontier.least + 1e-9
    check(frontier, table, asked)


def test_where_nothing_is_lost_nothing_more_is_searched_for() -> None:
    persons = [(30, "Huế", "nam", illness, 1) for illness in ("cúm", "sởi") * 5]
    with at_most(calls=100_000):
        frontier = run_optimise(OptimiseOrder(anonymise=order()), table_of(persons), [1] * len(persons))
    assert (frontier.proven, frontier.nodes[0].ncp) == (True, 0)
