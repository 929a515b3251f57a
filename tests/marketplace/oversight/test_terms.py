"""Terms: amounts fall into buckets that a range covers, words fold, postings give back what they were given."""

from __future__ import annotations

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from marketplace.oversight.postings import BLOCK_EVENTS, decode, encode, newest_first
from marketplace.oversight.terms import MAX_VND, amounts, beginnings, words_of

VND = st.integers(0, MAX_VND)


@given(least=VND, most=VND, amount=VND)
def test_an_amount_between_two_is_in_the_buckets_between_them(least: int, most: int, amount: int) -> None:
    if least <= amount <= most:
        assert set(amounts(amount, amount)) <= set(amounts(least, most))


def test_few_buckets_hold_what_is_far_off() -> None:
    assert set(amounts(1_000, 1_000)).isdisjoint(amounts(1_200, MAX_VND))
    assert set(amounts(0, 0)).isdisjoint(amounts(1, MAX_VND))


def test_words_fold_as_the_catalogue_folds_them() -> None:
    assert words_of("Dân số, ĐÔ THỊ; 12345 2026-q1") == ("dan", "so", "do", "thi", "12345", "2026", "q1")
    assert beginnings("Đô  TH") == ("w:do", "w:th")


def test_ids_hashes_and_instants_are_no_words() -> None:
    for opaque in (str(uuid4()), "ab" * 32, "2026-11-26T18:00:00Z"):
        assert words_of(opaque) == ()


@given(offsets=st.sets(st.integers(0, BLOCK_EVENTS - 1)))
def test_a_posting_gives_back_its_offsets_newest_first(offsets: set[int]) -> None:
    data = encode(offsets)
    assert len(data) <= BLOCK_EVENTS // 8
    assert list(newest_first(decode(data))) == sorted(offsets, reverse=True)
