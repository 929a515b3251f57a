"""Pseudonyms of many: the same as of each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from marketplace.consents.subjects import pseudonym, pseudonyms


@given(st.binary(max_size=130), st.lists(st.text(max_size=80), max_size=5))
def test_many_subjects_have_the_pseudonyms_that_each_has_alone(key: bytes, subjects: list[str]) -> None:
    assert pseudonyms(key, subjects) == [pseudonym(key, subject) for subject in subjects]
