"""One folding for what is stored and what is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search import fold


@pytest.mark.parametrize(
    "asked", ["dan so", "dân số", "DAN SO", "DÂN SỐ", "  Dân\tSố ", "da\u0302n so\u0302\u0301"]
)
def test_all_spellings_fold_to_one(asked: str) -> None:
    assert fold(asked) == "dan so"


def test_d_with_stroke_folds_both_ways() -> None:
    assert fold("Đường Đông") == fold("duong dong") == "duong dong"


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
