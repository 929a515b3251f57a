"""Which phrases say the same, and where they stand."""

from __future__ import annotations

import pytest

from catalog.terms.concepts import FOLDER, mentions, phrases_by_initials, phrases_of, places, related
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


def test_who_types_marks_means_a_word_without() -> None:
    assert "~luong-mua" in _said("mua", lenient=True)
    assert "~luong-mua" not in _said("hành vi mua sắm", lenient=True)


def test_a_word_within_a_place_or_a_compound_is_no_word_of_itself() -> None:
    assert _said("Điện Biên") == {"@dien-bien"}
    assert _said("Linh kiện điện tử") == set()
    assert "~dien-nang" in _said("Hộ dùng điện")


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


def test_initials_stand_for_the_phrases_that_begin_so_and_what_is_near_is_a_concept_of_the_file() -> None:
    assert ("~giao-vien", ("giao", "vien")) in phrases_by_initials()["gv"]
    assert {words for _, words in phrases_by_initials()["dtts"]} == {("dan", "toc", "thieu", "so")}
    named = {concept for each in related().items() for concept in (each[0], *each[1])}
    assert len(named) > 80
    assert [concept for concept in named if not phrases_of(concept)] == []


def test_the_parts_of_a_phrase_are_looked_for_among_shorter_ones() -> None:
    words = tokens("company registration")
    assert [mention.concepts for mention in mentions(words)] == [("~dang-ki-doanh-nghiep",)]
    said = {concept for mention in mentions(words, most=1) for concept in mention.concepts}
    assert said == {"~doanh-nghiep", "~dang-ki"}
