"""What everybody is shown of columns tells of no fewer than k persons, whoever subtracts what."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog.quality.figures import MOST_BARS, Bar, figures_of, step_of
from catalog.quality.wire import Bin, ColumnProfile, Profile
from catalog.version import Version
from tests.marketplace.listed import version

K = 5
LISTED = replace(version("x"), k=K)
COUNTS = st.lists(st.integers(0, 120), min_size=2, max_size=12)


def profile_of(counts: Sequence[int], labels: Sequence[str] = ()) -> Profile:
    """As the jail makes it: values of fewer than k persons have the bin without a name; the last has no value."""
    *values, empty = counts
    names = labels or [f"v{place:02}" for place in range(len(values))]
    bins = [Bin(name, count) for name, count in zip(names, values, strict=True) if count >= K]
    rest = sum(count for count in values if count < K)
    bins += [Bin(None, empty)] if empty >= K else []
    rest += empty if empty < K else 0
    bins += [Bin("", rest)] if rest else []
    return Profile(persons=sum(counts), columns=(ColumnProfile(name="sex", bins=tuple(bins)),))


def bars_of(listed: Version, profile: Profile) -> tuple[Bar, ...]:
    return next((column.bars for column in figures_of(listed, profile).columns), ())


@given(COUNTS)
def test_each_bar_is_of_k_persons_and_says_what_is_true(counts: list[int]) -> None:
    profile = profile_of(counts)
    step = step_of(profile.persons, K)
    named = {f"v{place:02}": count for place, count in enumerate(counts[:-1])}
    shown = bars_of(LISTED, profile)
    if step is None:
        assert not shown
        assert figures_of(LISTED, profile).state == "few"
        return
    assert profile.persons * step >= 2 * K * 100
    values = [bar for bar in shown if bar.kind == "value"]
    assert len(values) <= MOST_BARS
    for bar in values:
        assert named[bar.label] >= K
        assert bar.percent % step == 0
        assert bar.percent <= 100 * named[bar.label] / profile.persons <= bar.percent + step
    rest = profile.persons - sum(named[bar.label] for bar in values) - (counts[-1] if counts[-1] >= K else 0)
    assert ("rest" in {bar.kind for bar in shown}) == (rest >= K)
    assert ("none" in {bar.kind for bar in shown}) == (counts[-1] >= K)


@given(st.integers(1, 20), st.integers(0, 150), st.integers(0, 150))
def test_who_knows_all_but_how_many_have_a_value_is_left_k_counts(k: int, mine: int, others: int) -> None:
    """The attack: the number of persons is public, and each count is tried that would be shown alike."""
    listed, total = replace(LISTED, k=k), mine + others

    def seen(count: int) -> Bar | None:
        bins = (Bin("", total - count), *((Bin("ill", count),) if count >= k else ()))
        found = Profile(persons=total, columns=(ColumnProfile(name="sex", bins=bins),))
        return next((bar for bar in bars_of(listed, found) if bar.kind == "value"), None)

    alike = sum(seen(count) == seen(mine) for count in range(total + 1))
    assert alike >= min(k, total + 1)


def test_numbers_and_months_lie_in_their_order_and_declared_bins_in_theirs() -> None:
    (first, second) = LISTED.columns
    money = replace(LISTED, columns=(replace(first, type="BIGINT"), second))
    labels = ["0", "-2.0e1.0", "1.0e0.0", *(f"{digit}.0e2.0" for digit in range(1, 9)), "3.0e-1.0", "nanenan"]
    bars = bars_of(money, profile_of([10] * len(labels) + [20], labels))
    spans = [bar for bar in bars if bar.kind == "span"]
    assert len(spans) == MOST_BARS
    assert (spans[0].label, spans[-1].until) == ("-30", "900")
    assert [float(bar.label) for bar in spans] == sorted(float(bar.label) for bar in spans)
    assert [bar.kind for bar in bars[MOST_BARS:]] == ["rest", "none"]

    days = replace(LISTED, columns=(replace(first, type="DATE"), second))
    months = ["2024-11", "2025-02", "2024-12"]
    assert [bar.label for bar in bars_of(days, profile_of([50, 40, 30, 0], months))] == sorted(months)

    binned = replace(LISTED, columns=(replace(first, transform="bins 25/45"), second))
    ages = [">=45", "25-44", "<25"]
    assert [bar.label for bar in bars_of(binned, profile_of([50, 40, 30, 0], ages))] == ["<25", "25-44", ">=45"]
    assert [bar.label for bar in bars_of(LISTED, profile_of([30, 90, 60, 0]))] == ["v01", "v02", "v00"]


@pytest.mark.parametrize(("mode", "counted", "state"), [("dp", True, "private"), ("rows", False, "waiting")])
def test_nothing_is_shown_that_may_not_be_or_is_not_there(mode: str, counted: bool, state: str) -> None:
    found = figures_of(replace(LISTED, mode=mode), profile_of([900, 100]) if counted else None)
    assert (found.state, found.columns) == (state, ())
