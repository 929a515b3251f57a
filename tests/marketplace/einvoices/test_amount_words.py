"""Amounts in words: as they are read out, and one amount never reads as another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.einvoices.amount_words import amount_in_words

SPOKEN = {
    0: "Không đồng",
    5: "Năm đồng",
    10: "Mười đồng",
    15: "Mười lăm đồng",
    21: "Hai mươi mốt đồng",
    25: "Hai mươi lăm đồng",
    55: "Năm mươi lăm đồng",
    100: "Một trăm đồng",
    105: "Một trăm linh năm đồng",
    1_001: "Một nghìn không trăm linh một đồng",
    13_011: "Mười ba nghìn không trăm mười một đồng",
    1_000_000: "Một triệu đồng",
    2_000_000_010: "Hai tỷ không trăm mười đồng",
    -1_080: "Âm một nghìn không trăm tám mươi đồng",
}


@pytest.mark.parametrize(("amount", "words"), SPOKEN.items())
def test_amounts_are_read_out_as_people_do(amount: int, words: str) -> None:
    assert amount_in_words(amount) == words


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_two_amounts_never_read_alike(one: int, two: int) -> None:
    assert (amount_in_words(one) == amount_in_words(two)) == (one == two)


@given(st.integers(1, 999), st.integers(0, 10**6 - 1))
def test_each_group_is_read_with_its_scale(millions: int, rest: int) -> None:
    words = amount_in_words(millions * 10**6 + rest)
    assert words.startswith(amount_in_words(millions).removesuffix("đồng") + "triệu ")


def test_what_no_ledger_holds_is_not_read_out() -> None:
    with pytest.raises(ValueError, match="amount"):
        amount_in_words(10**18)
