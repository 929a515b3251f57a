"""What is marked in a text: the words of the question as the text writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.search.highlight import Marker
from marketplace.search.question import read_question
from marketplace.search.vocabulary import Found, Vocabulary


def _marked(q: str, text: str, most: int | None = None) -> str:
    question = read_question(q)
    words = Vocabulary({}, {word.folded: Found(known=True) for word in question.words})
    pieces = Marker(question, words).pieces(text, most=most)
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("q", "text", "marked"),
    [
        ("dan so", "Điều tra dân số 2024", "Điều tra [dân số] 2024"),
        ("dân số", "Số người, con số của dân số", "Số người, con số của [dân số]"),
        ("thuế", "Thuê nhà, thuế, thue", "Thuê nhà, [thuế], [thue]"),
        ("bang lai", "Giấy phép lái xe, hạng B2", "[Giấy phép lái xe], hạng B2"),
        ("thuế", "<b>Thuế & phí</b>", "<b>[Thuế] & phí</b>"),
        ("the tax", "The tax of the year", "The [tax] of the year"),
        ("%", "Không có gì", "Không có gì"),
    ],
)
def test_words_are_marked_with_their_marks(q: str, text: str, marked: str) -> None:
    assert _marked(q, text) == marked


def test_a_long_text_is_cut_between_words_around_the_first_hit() -> None:
    text = "một hai ba bốn năm sáu " * 20 + "tê giác " + "bảy tám chín mười " * 20
    cut = _marked("te giac", text, 100)
    assert "[tê giác]" in cut
    assert cut.startswith("…")
    assert cut.endswith("…")
    assert len(cut) < 110


@given(st.text(), st.text(max_size=30), st.integers(20, 80))
def test_nothing_is_lost_or_added(text: str, q: str, most: int) -> None:
    whole = _marked("", text)
    assert _marked(q, text).replace("[", "").replace("]", "") == whole.replace("[", "").replace("]", "")
    assert len(_marked(q, text, most).replace("[", "").replace("]", "")) <= max(most + 2, len(whole))
