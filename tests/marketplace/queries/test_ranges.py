"""Ranges of bytes as RFC 9110 has them: one is understood, everything else gets the whole."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.queries.errors import RangeNotSatisfiable
from marketplace.queries.ranges import asks_for_part, part_of

ETAG = '"abc-csv"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=4-99", (4, 10)),
    ],
)
def test_a_range_is_cut_to_the_answer(header: str, part: tuple[int, int]) -> None:
    assert asks_for_part({"range": header}, ETAG)
    assert part_of(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=5-2"])
def test_a_range_with_nothing_in_it_is_refused_with_the_length(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        part_of(header, 10)
    assert refused.value.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize("header", ["", "bytes=", "bytes=-", "rows=0-1", "bytes=0-1,3-4", "bytes=a-b", "bytes=1"])
def test_what_is_no_single_range_of_bytes_is_ignored(header: str) -> None:
    assert not asks_for_part({"range": header}, ETAG)


def test_a_range_of_other_bytes_is_ignored() -> None:
    asked = {"range": "bytes=0-1"}
    assert asks_for_part(asked | {"if-range": ETAG}, ETAG)
    for other in ('"abd-csv"', f"W/{ETAG}", "Thu, 26 Nov 2026 15:00:00 GMT"):
        assert not asks_for_part(asked | {"if-range": other}, ETAG)


@given(st.integers(1, 50), st.lists(st.integers(0, 60)))
def test_ranges_that_follow_each_other_are_the_whole(size: int, cuts: list[int]) -> None:
    whole = bytes(range(size))
    edges = sorted({0, size, *(cut for cut in cuts if cut < size)})
    parts = [part_of(f"bytes={a}-{b - 1}", size) for a, b in itertools.pairwise(edges)]
    assert b"".join(whole[start:stop] for start, stop in parts) == whole
