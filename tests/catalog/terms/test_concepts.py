"""Which phrases say the same, and where they stand."""

from __future__ import annotations

import pytest

from catalog.terms.concepts import FOLDER, mentions, places
from catalog.terms.tokens import tokens


def _said(text: str, *, lenient: bool = False) -> set[str]:
    return {concept for mention in mentions(tokens(text), lenient=lenient) for concept in mention.concepts}


@pytest.mark.parametrize(
    "text", ["Bằng lái xe máy", "giay phep lai xe", "a driving licence", "DRIVER LICENSES", "cấp GPLX"]
)
def test_a_driving_licence_is_one_thing_in_both_languages(text: str) -> None:
    assert "~bang-lai" in _said(text)


def test_a_word_with_other_marks_says_something_else() -> None:
    assert "~thue" in _said("Thu thuế")
    assert "~thue" not in _said("Thuê bao")
    assert "~thue" in _said("thu thue"), "without any marks it may"
    assert "~bang-lai" in _said("bằng lai", lenient=True), "and somebody who types may forget one"


def test_a_word_within_a_place_is_the_place_alone() -> None:
    assert _said("Điện Biên") == {"@dien-bien"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("Hải Dương", "Hải Phòng"), ("Quảng Nam", "Đà Nẵng"), ("Sài Gòn", "TPHCM"), ("Daklak", "Đắk Lắk")],
)
def test_provinces_before_the_reform_are_the_ones_after_it(old: str, new: str) -> None:
    assert _said(old) == _said(new) != set()


def test_there_are_34_provinces_and_no_phrase_is_in_the_file_twice_for_one_meaning() -> None:
    assert len(places()) == 34
    lines = (FOLDER / "synonyms.txt").read_text(encoding="utf-8").splitlines()
    groups = [line.partition(":") for line in lines if line and not line.startswith("#")]
    assert len(groups) > 200
    names = [name for name, _, _ in groups]
    assert len(set(names)) == len(names)
