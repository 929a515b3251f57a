"""Laws of a version's files, over random tables: k, ℓ, classes, unions, consent, measures, samples."""

from __future__ import annotations

import random as plain_random
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog.transforms import Transform
from catalog.wire import AnonymiseColumn, AnonymiseOrder
from tests.catalog.plain import Made, run_anonymise, run_measure
from tests.examples import tried

K = 5


def order(mode: str = "rows", **changes: Any) -> AnonymiseOrder:
    columns = [
        AnonymiseColumn(name="age", type="BIGINT", role="quasi-identifier", fine=Transform(bins=(30.0, 60.0)),
                        coarser=(Transform(bins=(60.0,)), Transform(drop=True))),
        AnonymiseColumn(name="place", type="VARCHAR", role="quasi-identifier", coarser=(Transform(drop=True),)),
        AnonymiseColumn(name="illness", type="VARCHAR", role="sensitive"),
    ]  # fmt: skip
    if mode == "aggregate":
        columns.append(
            AnonymiseColumn(name="visits", type="BIGINT", role="measure", fine=Transform(clamp=(0.0, 20.0)))
        )
    fields: dict[str, Any] = {
        "columns": tuple(columns), "hierarchies": {}, "mode": mode, "k": K, "l": 2, "max_left_out_share": 0.99,
        "followed": True,
        "seed": b"seed" * 8, "part_rows": 40, "row_group_rows": 16,
    }  # fmt: skip
    return AnonymiseOrder(**(fields | changes))


PERSON = st.tuples(
    st.one_of(st.none(), st.integers(0, 90)), st.sampled_from(["Huế", "Hà Nội", None]),
    st.sampled_from(["cúm", "sởi", "lao", None]), st.one_of(st.none(), st.integers(-5, 40)), st.integers(0, 3),
)  # fmt: skip


def table_of(persons: list[tuple[Any, ...]]) -> pa.Table:
    ages, places, illnesses, visits, _ = (list(c) for c in zip(*persons, strict=True))
    return pa.table({
        "age": pa.array(ages, pa.int64()), "place": pa.array(places, pa.string()).dictionary_encode(),
        "illness": pa.array(illnesses, pa.string()).dictionary_encode(), "visits": pa.array(visits, pa.int64()),
    })  # fmt: skip


def many(seed: int, rows: int = 600) -> list[tuple[Any, ...]]:
    random = plain_random.Random(seed)
    return [
        (random.randint(0, 90), random.choice(["Huế", "Hà Nội", "Đà Nẵng"]), random.choice(["cúm", "sởi", "lao"]),
         random.randint(0, 20), random.randint(1, 3))
        for _ in range(rows)
    ]  # fmt: skip


def made_of(persons: list[tuple[Any, ...]], given_order: AnonymiseOrder) -> Made:
    return run_anonymise(given_order, table_of(persons), [p[4] for p in persons])


@settings(max_examples=tried(20), deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=120))
def test_in_rows_mode_every_cohort_and_every_class_in_the_file_has_k_persons_and_two_illnesses(
    persons: list[tuple[Any, ...]],
) -> None:
    made = made_of(persons, order())
    if made.reply.refusal is not None:
        assert made.reply.refusal.code in ("publication.too_few_persons", "publication.too_identifying",
                                           "publication.sensitive_too_identifying",
                                           "publication.too_few_fall_back")  # fmt: skip
        return
    classes: Counter[Any] = Counter()
    for head, cohort in made.cohorts():
        rows = cohort.to_pylist()
        assert len({(r["age"], r["place"]) for r in rows}) == 1
        assert len(rows) >= K
        assert len({r["illness"] for r in rows} - {None}) >= 2
        assert set(cohort.column_names) == {"age", "place", "illness"}
        classes[(head.mask, rows[0]["age"], rows[0]["place"])] += len(rows)
    assert min(classes.values()) >= K
    assert run_measure(order(), made, table_of(persons)).fault == ""


@settings(max_examples=tried(15), deadline=None)
@given(st.lists(PERSON, min_size=30, max_size=150))
def test_persons_are_counted_once_and_nobody_without_consent_is_in(persons: list[tuple[Any, ...]]) -> None:
    made = made_of(persons, order())
    if made.reply.refusal is not None:
        return
    masks = np.array([p[4] for p in persons])
    assert (made.cohort[masks == 0] == -1).all()
    assert made.reply.without_consent == int((masks == 0).sum())
    assert made.reply.persons + made.reply.left_out_persons + made.reply.without_consent == len(persons)
    assert np.bincount(made.cohort[made.cohort >= 0]).tolist() == (made.ranges[:, 2] - made.ranges[:, 1]).tolist()
    for head, part in zip(made.heads, made.ranges[:, 0], strict=False):
        inside = masks[np.isin(made.cohort, np.flatnonzero(made.ranges[:, 0] == part))]
        assert set(inside.tolist()) <= {made.heads[part].mask}
        assert head.mask > 0


@settings(max_examples=tried(15), deadline=None)
@given(st.lists(PERSON, min_size=30, max_size=150), st.data())
def test_any_two_views_differ_by_whole_cohorts_so_by_k_persons_or_none(
    persons: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    """Views by purpose and by any filter on quasi-identifiers are unions of cohorts (invariant 3)."""
    made = made_of(persons, order())
    if made.reply.refusal is not None:
        return
    cohorts = list(made.cohorts())
    shown = {(c.column("age")[0].as_py(), c.column("place")[0].as_py()) for _, c in cohorts}
    views = [
        (data.draw(st.sampled_from([1, 2, 3])), data.draw(st.sets(st.sampled_from(sorted(shown, key=str)))))
        for _ in range(2)
    ]
    chosen = [
        {
            i
            for i, (head, c) in enumerate(cohorts)
            if head.mask & purpose and (c.column("age")[0].as_py(), c.column("place")[0].as_py()) in filter_
        }
        for purpose, filter_ in views
    ]
    difference = sum(cohorts[i][1].num_rows for i in chosen[0] ^ chosen[1])
    assert difference == 0 or difference >= K


@settings(max_examples=tried(15), deadline=None)
@given(st.lists(PERSON, min_size=30, max_size=150))
def test_in_aggregate_mode_the_sums_are_those_of_the_persons_or_withheld(persons: list[tuple[Any, ...]]) -> None:
    made = made_of(persons, order("aggregate"))
    if made.reply.refusal is not None:
        return
    for number, (_, cohort) in enumerate(made.cohorts()):
        (record,) = cohort.to_pylist()
        people = np.flatnonzero(made.cohort == number)
        values = [min(max(persons[i][3], 0), 20) for i in people if persons[i][3] is not None]
        assert record["n"] == len(people) >= K
        assert "illness" not in record
        assert len({persons[i][2] for i in people} - {None}) >= 2
        dominated = max(values, default=0) > sum(values) / 2
        if len(values) < K or dominated:
            assert record["visits__count"] is record["visits__sum"] is record["visits__sumsq"] is None
        else:
            assert record["visits__count"] == len(values)
            assert record["visits__sum"] == sum(values)
            assert record["visits__sumsq"] == sum(v * v for v in values)
    assert run_measure(order("aggregate"), made, table_of(persons)).fault == ""


def test_files_are_sorted_by_consent_class_and_cohort_and_cut_only_between_cohorts() -> None:
    made = made_of(many(1), order())
    assert len(made.parts) > 3
    assert [h.rows for h in made.heads] == [made.table(i).num_rows for i in range(len(made.parts))]
    assert [h.mask for h in made.heads] == sorted(h.mask for h in made.heads)
    for mask in {h.mask for h in made.heads}:
        keys = [
            (c.column("age")[0].as_py() or "", c.column("place")[0].as_py() or "")
            for h, c in made.cohorts()
            if h.mask == mask
        ]
        assert keys == sorted(keys)


def test_the_same_persons_and_seed_give_the_same_bytes_and_another_seed_other_cohorts() -> None:
    persons = many(2)
    first, again = made_of(persons, order()), made_of(persons, order())
    other = made_of(persons, order(seed=b"else" * 8))
    assert first.parts == again.parts
    assert first.cohort.tolist() == again.cohort.tolist() != other.cohort.tolist()


@pytest.mark.parametrize("mode", ["rows", "aggregate"])
def test_the_sample_shares_no_record_with_the_files(mode: str) -> None:
    columns = (
        *order(mode).columns,
        AnonymiseColumn(name="job", type="VARCHAR", role="quasi-identifier", coarser=(Transform(drop=True),)),
    )
    table = table_of(many(3, 300)).append_column(
        "job", pa.array([f"job {i % 7}" for i in range(300)]).dictionary_encode()
    )
    made = run_anonymise(order(mode, columns=columns), table, [1] * 300)
    names = ["age", "place", "job", *(["illness"] if mode == "rows" else [])]
    real = {tuple(r[n] for n in names) for _, c in made.cohorts() for r in c.to_pylist()}
    assert made.reply.sample
    assert not {tuple(r[n] for n in names) for r in made.reply.sample} & real


@settings(max_examples=tried(15), deadline=None)
@given(st.lists(PERSON, min_size=20, max_size=150), st.sampled_from(["rows", "aggregate"]))
def test_no_row_of_a_sample_is_a_record_or_a_persons_own_row(persons: list[tuple[Any, ...]], mode: str) -> None:
    """Not as the files show it, and not as the owner's file has it either, in whatever columns the sample has."""
    made = made_of(persons, order(mode))
    if made.reply.refusal is not None:
        return
    names = ["age", "place", *(["illness"] if mode == "rows" else [])]
    real = {tuple(r[n] for n in names) for _, c in made.cohorts() for r in c.to_pylist()}
    given_ages = {p[0] for p in persons} - {None}
    for row in made.reply.sample:
        assert tuple(row[n] for n in names) not in real
        assert row["age"] not in given_ages
        assert row["place"] is None or row["place"] in {p[1] for p in persons}
        if mode == "rows":
            assert row["illness"] is None or [p[2] for p in persons].count(row["illness"]) >= K
        else:
            assert row["visits"] in range(21), "a count has no fractions"
    keys = [tuple(row[n] for n in names) for row in made.reply.sample]
    assert len(keys) == len(set(keys))


def test_the_sample_of_a_tiny_table_is_not_who_was_left_out_and_what_is_missing_tells_of_nobody() -> None:
    """Two are too few to be shown; each of their values by itself is others' too."""
    columns = [AnonymiseColumn(name=f"q{i}", type="VARCHAR", role="quasi-identifier") for i in range(6)]
    columns.append(AnonymiseColumn(name="illness", type="VARCHAR", role="sensitive"))
    low, high = ["a"] * 6, ["b"] * 6
    rows = [[*(low if i < 8 else high), ["cúm", "sởi"][i % 2]] for i in range(16)]
    rows += [[*(v for _ in range(3) for v in pair), "cúm"] for pair in ("ab", "ba")]
    table = pa.table({c.name: pa.array(v) for c, v in zip(columns, zip(*rows, strict=True), strict=True)})
    seeds = [bytes([i]) * 32 for i in range(4)]
    made = [run_anonymise(order(columns=tuple(columns), seed=s), table, [1] * len(rows)).reply for s in seeds]
    assert {reply.left_out_persons for reply in made} == {2}
    drawn = [tuple(row.values()) for reply in made for row in reply.sample]
    assert len(drawn) == 4 * 20
    assert not set(drawn) & {tuple(row) for row in rows}
    narrow = tuple(columns[i] for i in (0, 1, 6))
    told = run_anonymise(order(columns=narrow), table, [1] * len(rows)).reply.sample
    free = 2 * 2 * 2 - len({(r[0], r[1], r[6]) for r in rows})
    assert len(told) == free // 2, "else the combinations that are not there would be those of who waits"


def test_a_value_that_no_group_names_is_refused_with_counts_only() -> None:
    columns = (
        replace(order().columns[1], fine=Transform(groups={"Miền Bắc": ("Hà Nội",)}), coarser=()),
        order().columns[2],
    )
    made = run_anonymise(order(columns=columns), table_of(many(4)), [1] * 600)
    assert made.reply.refusal is not None
    assert made.reply.refusal.code == "publication.unmapped_values"
    assert made.reply.refusal.params["values"] == 2
    assert "Huế" not in str(made.reply.refusal.params)


def test_a_value_that_only_a_row_left_out_held_is_not_in_a_version() -> None:
    mapped = Transform(groups={"Trung": ("Huế", "Đà Nẵng"), "Bắc": ("Hà Nội",)})
    columns = tuple(
        replace(each, fine=mapped, coarser=()) if each.name == "place" else each for each in order().columns
    )
    table = table_of([*many(7), (20, "Tổng cộng", "cúm", 1, 1)]).slice(0, 600)
    assert "Tổng cộng" in table.column("place").chunk(0).dictionary.to_pylist()
    made = run_anonymise(order(columns=columns), table, [1] * 600)
    assert made.reply.refusal is None
    seen = [value for i in range(len(made.parts)) for value in made.table(i).column("place").to_pylist()]
    assert set(seen) <= {"Trung", "Bắc", None}


def test_a_near_unique_sensitive_column_is_refused_in_rows_mode() -> None:
    table = table_of(many(5)).set_column(2, "illness", pa.array([f"case {i}" for i in range(600)]))
    made = run_anonymise(order(max_left_out_share=0.05), table, [1] * 600)
    assert made.reply.refusal is not None
    assert made.reply.refusal.code == "publication.sensitive_too_identifying"


def test_the_refusal_names_the_column_that_drives_it() -> None:
    columns = (*order().columns, AnonymiseColumn(name="code", type="BIGINT", role="quasi-identifier"))
    table = table_of(many(6)).append_column("code", pa.array(range(600)))
    made = run_anonymise(order(columns=columns, max_left_out_share=0.05), table, [1] * 600)
    assert made.reply.refusal is not None
    assert made.reply.refusal.code == "publication.too_identifying"
    assert made.reply.refusal.params["column"] == "code"
    assert made.reply.refusal.params["saved"] > 500
    assert made.parts == []


def test_where_too_few_fall_back_no_column_is_blamed() -> None:
    """Their columns are all the same there already: the others have found cohorts at the fine level."""
    fine = [(20, "Huế", ["cúm", "sởi"][i % 2], 1, 1) for i in range(40)]
    alone = [(70, "Hà Nội", "cúm", 1, 1)] * (K - 1)
    made = made_of([*fine, *alone], order(max_left_out_share=0.05))
    assert made.reply.refusal is not None
    assert made.reply.refusal.code == "publication.too_few_fall_back"
    assert made.reply.refusal.params["persons"] == K - 1
    assert "column" not in made.reply.refusal.params


def broken(made: Made, what: str) -> Made:
    """The finished files with one promise broken behind the maker's back."""
    tables = [made.table(i) for i in range(len(made.parts))]
    if what == "alike":
        ages = tables[0].column("age").to_pylist()
        tables[0] = tables[0].set_column(0, "age", pa.array(["<1", *ages[1:]], pa.string()))
    if what == "l":
        same = pa.array(["cúm"] * tables[0].num_rows, pa.string())
        tables[0] = tables[0].set_column(tables[0].schema.get_field_index("illness"), "illness", same)
    if what == "schema":
        tables[0] = tables[0].append_column("name", pa.array(["x"] * tables[0].num_rows))
    ranges = made.ranges.copy()
    if what == "ranges":
        ranges[0, 2] -= 1
    if what == "k":
        begin, end = ranges[0, 1:]
        ranges = np.concatenate([[[0, begin, begin + 2], [0, begin + 2, end]], ranges[1:]])
    parts = list(made.parts)
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(tables[0], sink)
    parts[0] = sink.getvalue().to_pybytes() if what != "unreadable" else parts[0][:-8]
    return Made(made.reply, made.heads, parts, made.cohort, ranges)


@pytest.mark.parametrize("what", ["alike", "l", "schema", "ranges", "k", "unreadable"])
def test_measuring_finds_files_that_break_a_promise(what: str) -> None:
    persons = many(7)
    made = made_of(persons, order())
    assert run_measure(order(), made, table_of(persons)).fault == ""
    assert run_measure(order(), broken(made, what), table_of(persons)).fault == what


def test_measured_k_l_entropy_and_t_of_a_table_worked_by_hand() -> None:
    """Huế: 20 persons, half and half. Hà Nội: 20 persons, 18 to 2, so cohorts of 9 to 1. Overall 28 to 12."""
    persons = [(20, "Huế", "cúm" if i < 10 else "sởi", 1, 1) for i in range(20)]
    persons += [(20, "Hà Nội", "cúm" if i < 18 else "sởi", 1, 1) for i in range(20)]
    given_order = order(k=10)
    measured = run_measure(given_order, made_of(persons, given_order), table_of(persons))
    assert (measured.k, measured.l, measured.persons) == (10, 2, 40)
    assert measured.risk is not None
    assert measured.risk.entropy_l == pytest.approx(np.exp(-(0.9 * np.log(0.9) + 0.1 * np.log(0.1))), abs=1e-4)
    assert measured.risk.t == pytest.approx(0.2, abs=1e-4)
