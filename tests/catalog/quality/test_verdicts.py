"""Verdicts are those of plain Python over the same cells and of Great Expectations; some nobody can tell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.jailed.expected import OURS
from catalog.limits import IngestLimits
from catalog.quality.check import check
from catalog.quality.expectations import expectations_binds
from catalog.quality.report import report
from catalog.quality.suite import Suite
from catalog.quality.wire import CheckedColumn
from sandbox.isolation.runtime import Bind
from tests.catalog.quality.tables import Cells, check_in_jail, count_here, expect

WORDS = ("a", "ab", "đỏ", "x1", "")
ROWS = st.lists(
    st.tuples(st.none() | st.integers(-3, 6), st.none() | st.sampled_from(WORDS), st.none() | st.integers(0, 5)),
    max_size=30,
)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def great_expectations() -> tuple[Bind, ...]:
    """Must be there where everything is tested; elsewhere `make tools` brings it."""
    found = expectations_binds()
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("make tools brings great-expectations")
    assert found is not None
    return found


def cells_of(rows: list[tuple[Any, Any, Any]]) -> Cells:
    a, s, b = ([row[i] for row in rows] for i in range(3))
    return {"a": ("BIGINT", a), "s": ("VARCHAR", s), "b": ("BIGINT", b)}


def twice(values: list[Any]) -> int:
    return sum(n for n in Counter(values).values() if n > 1)


@given(rows=ROWS, mostly=st.sampled_from(SHARES), low=st.integers(-3, 6))
@QUICK
def test_counts_and_verdicts_are_those_of_plain_python(
    tmp_path: Path, rows: list[tuple[Any, Any, Any]], mostly: float, low: int
) -> None:
    cells = cells_of(rows)
    a = [v for v, _, _ in rows if v is not None]
    s = [v for _, v, _ in rows if v is not None]
    pairs = [(x, y) for x, _, y in rows if x is not None and y is not None]
    keyed = [(x, w) for x, w, _ in rows if x is not None or w is not None]
    wanted = [
        (expect("column_values_to_not_be_null", column="a", mostly=mostly), len(rows), len(rows) - len(a)),
        (expect("column_values_to_be_between", column="a", min_value=low, max_value=4, mostly=mostly),
         len(a), sum(not low <= v <= 4 for v in a)),
        (expect("column_values_to_be_in_set", column="s", value_set=["a", "đỏ"], mostly=mostly),
         len(s), sum(v not in ("a", "đỏ") for v in s)),
        (expect("column_values_to_match_regex", column="s", regex="^[a-z]", mostly=mostly),
         len(s), sum(not re.search("^[a-z]", v) for v in s)),
        (expect("column_value_lengths_to_be_between", column="s", min_value=1, max_value=1, mostly=mostly),
         len(s), sum(len(v) != 1 for v in s)),
        (expect("column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b", mostly=mostly),
         len(pairs), sum(not x > y for x, y in pairs)),
        (expect("column_values_to_be_unique", column="a", mostly=mostly), len(a), twice(a)),
        (expect("compound_columns_to_be_unique", column_list=["a", "s"], mostly=mostly), len(keyed), twice(keyed)),
    ]  # fmt: skip
    counted = count_here(tmp_path / "t.arrow", cells, [e for e, _, _ in wanted])
    for (expectation, tested, unexpected), found in zip(wanted, counted, strict=True):
        assert (found.tested, found.unexpected) == (tested, unexpected), expectation
        assert found.met == (tested - unexpected >= Fraction(mostly) * tested), expectation


@given(rows=ROWS, low=st.integers(-3, 6))
@QUICK
def test_figures_of_whole_columns_are_those_of_plain_python(
    tmp_path: Path, rows: list[tuple[Any, Any, Any]], low: int
) -> None:
    a = [v for v, _, _ in rows if v is not None]
    expected = [
        expect("table_row_count_to_be_between", min_value=low),
        expect("column_unique_value_count_to_be_between", column="a", min_value=low, max_value=5),
        expect("column_max_to_be_between", column="a", max_value=low),
        expect("column_mean_to_be_between", column="a", min_value=low, max_value=low + 2),
    ]
    found = count_here(tmp_path / "t.arrow", cells_of(rows), expected)
    assert [c.met for c in found] == [
        len(rows) >= low, low <= len(set(a)) <= 5, bool(a) and max(a) <= low,
        bool(a) and low <= Fraction(sum(a), len(a)) <= low + 2,
    ]  # fmt: skip


def test_great_expectations_in_the_jail_says_the_same(
    tmp_path: Path, great_expectations: tuple[Bind, ...]
) -> None:
    """Each type at, below and above the share that its data has; what it judges wrongly is judged by us."""
    rows = [(None if i % 7 == 0 else i % 10, (*WORDS, None)[i % 6], i % 4) for i in range(420)]
    types: list[tuple[str, dict[str, Any]]] = [
        ("column_values_to_not_be_null", {"column": "a"}),
        ("column_values_to_be_between", {"column": "a", "min_value": 2, "max_value": 8}),
        ("column_values_to_be_in_set", {"column": "s", "value_set": ["a", "đỏ", ""]}),
        ("column_values_to_match_regex", {"column": "s", "regex": "^[a-z]+[0-9]?$"}),
        ("column_value_lengths_to_be_between", {"column": "s", "min_value": 1, "max_value": 1}),
        ("column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b"}),
        ("column_values_to_be_unique", {"column": "a"}),
        ("compound_columns_to_be_unique", {"column_list": ["a", "s"]}),
    ]
    shares = (0.0, 0.3, 0.5, 0.7, 0.85, 0.9, 1.0)
    expected = [expect(kind, **arguments, mostly=share) for kind, arguments in types for share in shares]
    for low in (1, 4, 10, 420, 421):
        expected += [
            expect("table_row_count_to_be_between", min_value=low),
            expect("column_unique_value_count_to_be_between", column="s", min_value=low),
            expect("column_max_to_be_between", column="a", max_value=low),
            expect("column_mean_to_be_between", column="a", max_value=low),
        ]
    expected.append(expect("column_values_to_match_regex", column="s", regex="^[a"))
    cells = cells_of(rows)
    found = check_in_jail(tmp_path / "t.arrow", cells, expected, great_expectations)
    alone = count_here(tmp_path / "u.arrow", cells, expected)
    assert [(v.outcome, v.tested, v.unexpected) for v in found.verdicts] == [
        (v.outcome, v.tested, v.unexpected) for v in report("suite", 420, "own", expected, alone).verdicts
    ]
    assert [v.outcome for v in found.verdicts].count("error") == 1
    assert {v.outcome for v in found.verdicts} == {"met", "failed", "error"}
    judges = {(v.expectation.type in OURS, v.judge) for v in found.verdicts if v.outcome != "error"}
    assert judges == {(True, "own"), (False, "great_expectations")}


def test_rows_alike_in_every_cell_are_alike_where_cells_are_empty(tmp_path: Path) -> None:
    cells: Cells = {"a": ("BIGINT", [1, 1, None, None, None]), "s": ("VARCHAR", [None, None, "x", None, None])}
    (found,) = count_here(
        tmp_path / "t.arrow", cells, [expect("compound_columns_to_be_unique", column_list=["a", "s"])]
    )
    assert (found.tested, found.unexpected, found.met) == (3, 2, False)


def test_means_are_exact_for_large_numbers_and_are_shares_for_booleans(tmp_path: Path) -> None:
    large = 2**62
    cells: Cells = {"a": ("BIGINT", [large, large + 1, large + 2]), "f": ("BOOLEAN", [True, False, None])}
    found = count_here(
        tmp_path / "t.arrow", cells,
        [
            expect("column_mean_to_be_between", column="a", min_value=large + 1, max_value=large + 1),
            expect("column_mean_to_be_between", column="a", max_value=large),
            expect("column_mean_to_be_between", column="f", min_value=0.5, max_value=0.5),
        ],
    )  # fmt: skip
    assert [c.met for c in found] == [True, False, True]


@pytest.mark.parametrize(
    ("expectation", "error"),
    [
        (expect("column_values_to_match_regex", column="s", regex="^(?=a)"), "lookaround"),
        (expect("column_values_to_match_regex", column="s", regex="[a"), "not_understood"),
        (expect("column_values_to_be_between", column="gone", min_value=1), "no_such_column"),
        (expect("column_values_to_be_between", column="s", min_value=1), "type"),
        (expect("column_values_to_be_between", column="d", min_value="soon"), "not_understood"),
    ],
)
def test_what_cannot_be_judged_is_an_error_and_no_failure(tmp_path: Path, expectation: Any, error: str) -> None:
    cells: Cells = {"s": ("VARCHAR", ["a", "b"]), "d": ("DATE", [None, None])}
    both = [expectation, expect("column_values_to_not_be_null", column="s")]
    counted = count_here(tmp_path / "t.arrow", cells, both)
    found = report("suite", 2, "own", both, counted)
    assert [(v.outcome, v.error) for v in found.verdicts] == [("error", error), ("met", "")]
    clean = next(s for s in found.scores if s.axis == "clean")
    assert (clean.state, clean.permille, clean.failed, clean.errors) == ("unknown", 1000, 0, 1)


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    """A column of 320 MB in a jail of a fifth of that, its own base apart."""
    path, batch = tmp_path / "large.arrow", pa.record_batch({"a": np.arange(1_000_000)})
    with pa.ipc.new_stream(path, batch.schema) as writer:
        for _ in range(40):
            writer.write_batch(batch)
    suite = Suite(
        name="large", expectations=(expect("column_values_to_be_between", column="a", max_value=999_998),)
    )
    limits = IngestLimits(deadline_ms=60_000, memory_bytes=64 * 1024**2, threads=1)
    found = check([path], [CheckedColumn(name="a", type="BIGINT")], suite, limits=limits)
    assert (found.verdicts[0].tested, found.verdicts[0].unexpected) == (40_000_000, 40)


def test_the_service_imports_neither_it_nor_its_engine() -> None:
    names = "'great_expectations', 'duckdb_sqlalchemy', 'duckdb'"
    code = f"import sys, marketplace.web.app, catalog.publish; print([n for n in ({names}) if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
