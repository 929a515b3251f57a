"""Masked examples: at most three characters of a cell, nothing that acts where it is shown."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from catalog.pii.mask import SHOWN_AT_MOST, mask

_FORM = " .,-/@+•x?…"


@given(st.text(max_size=300))
@example("=HYPERLINK(1)")
@example("<script>alert(1)</script>")
@example("\u202e0912345678\u202c")
@example("'; DROP TABLE person; --")
def test_an_example_shows_at_most_three_characters_of_its_cell(cell: str) -> None:
    masked = mask(cell)
    assert len(masked) <= 24
    own = [sign for sign in masked if sign not in _FORM]
    assert len(own) <= SHOWN_AT_MOST
    assert all(sign.isalnum() for sign in own), "no sign of markup, formula or direction"
    assert not masked.startswith(("=", "+", "-", "@"))


def test_the_form_can_be_seen_and_the_number_cannot() -> None:
    assert mask("0912 345 678") == "0••• ••• •78"
    assert mask("an@example.vn") == "ax@xxxxxxx.xx"
    assert mask("Lan") == "xxx", "nothing of what is short"
