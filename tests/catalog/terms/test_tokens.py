"""Words fold alike however they are written, and keep what they are written with."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.terms.tokens import tokens


def _folded(text: str) -> list[str]:
    return [word.folded for word in tokens(text)]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("hòa", "hoà"),
        ("thúy", "thuý"),
        ("kỹ thuật", "kĩ thuật"),
        ("quý", "quí"),
        ("Dân Số", unicodedata.normalize("NFD", "dân số")),
        ("licences", "licence"),
        ("TAXES", "tax"),
        ("countries", "country"),
    ],
)
def test_two_spellings_are_one_word(left: str, right: str) -> None:
    both = [[(word.folded, word.exact) for word in tokens(text)] for text in (left, right)]
    assert both[0] == both[1] != []


def test_marks_are_kept_beside_the_folded_word() -> None:
    assert _folded("thuế") == _folded("thuê") == _folded("thue") == ["thue"]
    exact = [tokens(text)[0].exact for text in ("thuế", "thuê", "thue", "đo", "do")]
    assert len(set(exact)) == 4, "only words without marks are alike"
    assert exact[2] == exact[4] == ""


def test_names_of_columns_are_their_words() -> None:
    assert _folded("so_loi") == ["so", "loi"]
    assert _folded("birthDate") == ["birth", "date"]


@given(st.text())
def test_words_stand_where_they_say_and_fold_to_ascii(text: str) -> None:
    at = 0
    for word in tokens(text):
        assert at <= word.start < word.end <= len(text)
        assert word.folded.isascii()
        assert word.folded.isalnum()
        assert tokens(word.folded)[0].folded
        at = word.end
