"""dp mode in the broker: ε as it is measured, groups of one, intervals that hold, and jails that lie."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sandbox.disclosure.noise import Budget, epsilon_of, noised, scale_of, threshold_of
from sandbox.disclosure.release import margins, released
from sandbox.job import SandboxFailed
from tests.sandbox.disclosure.survey import exact, planned, stream_of

SAMPLES = 6_000
MOST = 10_000
GENEROUS = Budget(rho=1.0, delta=1e-6)


def bound(hits: int, samples: int, *, upper: bool) -> float:
    """Of a probability, by Chernoff: wrong once in a million, whatever the number of samples."""
    share = hits / samples
    inside, outside = share, 1.0 if upper else 0.0
    for _ in range(60):
        between = (inside + outside) / 2
        near = 0 < between < 1 and _divergence(share, between) * samples < math.log(1e6)
        inside, outside = (between, outside) if near else (inside, between)
    return outside


def _divergence(p: float, q: float) -> float:
    parts = ((p, q), (1 - p, 1 - q))
    return sum(a * math.log(a / b) for a, b in parts if a > 0)


def broken_promises(mechanism: Callable[[int, float], list[int]], rho: float, epsilon: float) -> list[int]:
    """Events {answer ≥ t} that are likelier with one record more than ρ-zCDP lets them be."""
    delta = math.exp(-((epsilon - rho) ** 2) / (4 * rho))
    more, less = mechanism(1, rho), mechanism(0, rho)
    found = []
    for t in range(5):
        with_one = bound(sum(x >= t for x in more), SAMPLES, upper=False)
        without = bound(sum(x >= t for x in less), SAMPLES, upper=True)
        if with_one > math.exp(epsilon) * without + delta:
            found.append(t)
    return found


def test_no_event_is_likelier_by_one_record_than_the_budget_lets_it_be() -> None:
    def honest(value: int, rho: float) -> list[int]:
        return noised([value] * SAMPLES, sensitivity=1, rho=rho)

    def too_little_noise(value: int, rho: float) -> list[int]:
        return noised([value] * SAMPLES, sensitivity=1, rho=6 * rho)

    assert broken_promises(honest, rho=0.5, epsilon=2) == []
    assert broken_promises(too_little_noise, rho=0.5, epsilon=2), "the audit itself sees nothing"


def test_noise_grows_with_what_one_record_can_change() -> None:
    values = noised([0] * SAMPLES, sensitivity=100, rho=0.5)
    spread = math.sqrt(sum(v * v for v in values) / SAMPLES)
    assert spread == pytest.approx(100, rel=0.06)
    assert scale_of(100, 0.5) == 100


def groups(count: int, records: int) -> pa.Table:
    return pa.table({"k0": [f"v{i:06d}" for i in range(count)], "m0": pa.array([records] * count, pa.int64())})


def names(found: tuple[bytes, int]) -> list[Any]:
    table = pa.ipc.open_stream(found[0]).read_all()
    assert table.num_rows == found[1]
    found_names: list[Any] = table.column(0).to_pylist()
    return found_names


def test_a_group_of_one_record_is_shown_with_delta_at_most_and_a_large_one_is() -> None:
    plan, release = planned("SELECT village, count(*) FROM survey GROUP BY village")
    loose = Budget(rho=0.005, delta=0.02)
    alone = released(release, plan.output, stream_of(groups(MOST, 1)), loose, MOST)
    assert bound(alone[1], MOST, upper=False) <= 0.02
    assert alone[1] > 0, "the threshold is far too high to be tried this way"
    few = groups(30, 1_000)
    assert names(released(release, plan.output, stream_of(few), GENEROUS, 30_000)) == few.column(0).to_pylist()


def test_the_threshold_is_where_the_tail_is_delta() -> None:
    assert threshold_of(0.5, 1e-6) == 2 + math.ceil(-NormalDist().inv_cdf(1e-6))


def test_every_cell_of_declared_groups_is_answered_also_where_nobody_is() -> None:
    plan, release = planned("SELECT province, insured, count(*) FROM survey GROUP BY ALL")
    table = pa.table({"k0": ["Huế"], "k1": [True], "m0": pa.array([7], pa.int64())})
    answer = pa.ipc.open_stream(released(release, plan.output, stream_of(table), GENEROUS, MOST)[0]).read_all()
    assert answer.num_rows == 3 * 3
    assert set(answer.column(0).to_pylist()) == {"Huế", "Hà Nội", None}


SQL = """SELECT count(*), sum(income), avg(income), var_pop(age), stddev(age), median(age),
                quantile_disc(income, 0.9) FROM survey"""


def honest_answer() -> tuple[pa.Table, list[float]]:
    """1,000 records with ages and incomes all over their ranges, and the true figures."""
    ages, incomes = [i % 101 for i in range(1000)], [10 + i % 81 / 2 for i in range(1000)]
    rows = [("Huế", "x", age, income, True, None) for age, income in zip(ages, incomes, strict=True)]
    mean = sum(ages) / 1000
    spread = sum((age - mean) ** 2 for age in ages) / 1000
    truth = [
        1000, sum(incomes), sum(incomes) / 1000, spread, math.sqrt(spread * 1000 / 999), sorted(ages)[500],
        sorted(incomes)[900],
    ]  # fmt: skip
    with duckdb.connect() as connection:
        return exact(connection, SQL, rows), truth


def test_intervals_hold_the_truth_and_are_not_idle() -> None:
    plan, release = planned(SQL)
    table, truth = honest_answer()
    stream = stream_of(table)
    missed = 0
    for _ in range(60):
        answer = pa.ipc.open_stream(released(release, plan.output, stream, GENEROUS, MOST)[0]).read_all()
        row = list(answer.to_pylist()[0].values())
        for index, true in enumerate(truth):
            value, low, high = row[3 * index : 3 * index + 3]
            assert low <= value <= high
            missed += not low <= true <= high
    # 420 intervals at 95%: more than 45 misses happen to sound ones once in a million times.
    assert missed <= 45
    assert row[2] - row[1] < 30
    assert row[8] - row[7] < 2
    assert row[17] - row[16] < 20


def test_with_hardly_any_records_a_mean_is_what_was_declared_or_nothing() -> None:
    plan, release = planned("SELECT avg(age) FROM survey")
    table = pa.table({"m0": pa.array([0], pa.int64()), "m1": pa.array([0], pa.int64())})
    for _ in range(20):
        answer = pa.ipc.open_stream(
            released(release, plan.output, stream_of(table), Budget(rho=0.001, delta=1e-9), MOST)[0]
        ).read_all()
        value, low, high = answer.to_pylist()[0].values()
        assert value is None or (low, high) == (-5, 100) or -5 <= low <= value <= high <= 100


@pytest.mark.parametrize(
    "columns",
    [
        {"k0": ["a", "a"], "m0": [1, 1]},
        {"k0": ["a"], "m0": [-1]},
        {"k0": ["a"], "m0": [MOST + 1]},
        {"k0": ["a", "b"], "m0": [MOST, 1]},
        {"k0": ["a"], "m0": [None]},
    ],
    ids=["a group twice", "less than none", "more than there are", "more together", "no number"],
)
def test_what_no_honest_jail_says_ends_the_query(columns: dict[str, list[Any]]) -> None:
    plan, release = planned("SELECT village, count(*) FROM survey GROUP BY village")
    table = pa.table({"k0": columns["k0"], "m0": pa.array(columns["m0"], pa.int64())})
    with pytest.raises(SandboxFailed) as failed:
        released(release, plan.output, stream_of(table), GENEROUS, MOST)
    assert (failed.value.code, failed.value.entered) == ("sandbox.invalid_result", True)


def test_a_group_that_nobody_declared_ends_the_query() -> None:
    plan, release = planned("SELECT province, count(*) FROM survey GROUP BY province")
    table = pa.table({"k0": ["Sài Gòn"], "m0": pa.array([3], pa.int64())})
    with pytest.raises(SandboxFailed):
        released(release, plan.output, stream_of(table), GENEROUS, MOST)


@pytest.mark.parametrize(
    "day", ["make_date(20000, 1, 1)", "CAST('infinity' AS DATE)", "make_timestamp_ms(900000000000000)",
            "CAST('-infinity' AS TIMESTAMP)"],
)  # fmt: skip
def test_a_day_that_python_cannot_hold_ends_no_query(day: str) -> None:
    sql = f"SELECT CASE WHEN age = 17 THEN {day} END AS d, count(*) FROM survey GROUP BY 1"
    plan, release = planned(sql)
    rows = [("Huế", "x", age, 12.0, True, None) for age in (17, 18) for _ in range(500)]
    with duckdb.connect() as connection:
        table = exact(connection, sql, rows)
    answer = released(release, plan.output, stream_of(table), GENEROUS, MOST)
    assert names(answer) == [None]


def test_order_and_limit_are_of_the_noisy_answer() -> None:
    plan, release = planned("SELECT village, count(*) AS n FROM survey GROUP BY 1 ORDER BY n DESC LIMIT 2")
    table = pa.table({"k0": ["a", "b", "c"], "m0": pa.array([100, 900, 500], pa.int64())})
    assert names(released(release, plan.output, stream_of(table), GENEROUS, MOST)) == ["b", "c"]


def test_a_quote_can_say_how_wide_an_interval_will_be() -> None:
    _, release = planned("SELECT count(*), sum(income), avg(age) FROM survey")
    each = 0.02 / 4
    (count, wide), (total, wider) = margins(release, 0.02)
    assert (count, total) == (0, 3)
    assert wide == pytest.approx(1.96 * scale_of(1, each), rel=1e-3)
    assert wider == pytest.approx(1.96 * scale_of(100, each) / 2, rel=1e-3)


def test_epsilon_is_what_zcdp_gives() -> None:
    assert epsilon_of(0.01, 1e-6) == pytest.approx(0.01 + 2 * math.sqrt(0.01 * math.log(1e6)))
