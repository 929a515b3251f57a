"""Figures read as each language writes them, and say exactly what they are."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.web import figures

NEW_YEAR = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)


def test_amounts_and_shares() -> None:
    assert figures.vnd(1_234_567, "vi") == "1.234.567\u00a0₫"
    assert figures.vnd(1_234_567, "en") == "1,234,567\u00a0₫"
    assert figures.vnd(None, "vi") == "–"
    shares = (0.0123, 0.92, 0.0, 0.00003, 1.0)
    assert [figures.percent(one, "vi") for one in shares] == ["1,23%", "92%", "0%", "<\u00a00,01%", "100%"]
    assert [figures.power(one, "vi") for one in (1e-6, 5e-7)] == ["10⁻⁶", "5·10⁻⁷"]


@settings(deadline=None)
@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_no_dong_is_lost_in_writing(amount: int) -> None:
    assert int(figures.vnd(amount, "vi").removesuffix("\u00a0₫").replace(".", "")) == amount


def test_numbers_within_words_are_written_as_the_language_does() -> None:
    told = "10–19: 1,878; α 0.998, ℓ 2; decree-165-2025 v1.2.3 csv ,"
    assert figures.written(told, "vi") == "10–19: 1.878; α 0,998, ℓ 2; decree-165-2025 v1.2.3 csv ,"
    assert figures.written(told, "en") == told


def test_sizes_are_decimal_as_they_are_priced() -> None:
    assert figures.size(999, "en") == "999\u00a0B"
    assert figures.size(1_000, "en") == "1\u00a0kB"
    assert figures.size(2_500_000_000, "vi") == "2,5\u00a0GB"


def test_instants_are_vietnamese_time_whatever_the_machine_says() -> None:
    assert figures.instant(NEW_YEAR, "vi") == "01/01/2027 00:30"
    assert figures.day(NEW_YEAR, "en") == "01 Jan 2027"
    assert figures.instant(int(NEW_YEAR.timestamp() * 1000), "vi") == "01/01/2027 00:30"
    assert (figures.day("2026-11-05", "vi"), figures.month("2026-11", "en")) == ("05/11/2026", "11/2026")
    assert figures.iso(NEW_YEAR) == "2026-12-31T17:30:00+00:00"
    assert figures.instant(None, "vi") == "–"
