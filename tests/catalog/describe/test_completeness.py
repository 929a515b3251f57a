"""What a description lacks is told item by item, and every item that is added raises the score."""

from __future__ import annotations

from msgspec.structs import replace

from catalog.describe.completeness import completeness
from catalog.describe.terms import suggest, term_of, terms
from catalog.manifest import Bilingual, Contact, Cover, read_manifest
from catalog.search import fold
from tests.catalog.small import MANIFEST

LONG = Bilingual(vi="Sổ khám bệnh sinh ra để kiểm thử. " * 4, en="A register made up for tests. " * 4)


def test_each_thing_that_is_added_raises_the_score_until_nothing_is_missing() -> None:
    manifest = read_manifest(MANIFEST)
    steps = (
        {"title": Bilingual(vi="Sổ khám bệnh", en="Register of visits")},
        {"description": LONG},
        {"provenance": LONG},
        {"contact": Contact(name="Phòng dữ liệu", email="du.lieu@example.vn")},
        {"cover": Cover(url="https://example.vn/bia.png", shows=LONG)},
        {"columns": tuple(replace(c, term="place.province", meaning=LONG) for c in manifest.columns)},
    )
    scores = [completeness(manifest).score]
    for step in steps:
        manifest = replace(manifest, **step)
        scores.append(completeness(manifest).score)
    assert scores == sorted(set(scores))
    assert scores[-1] == 1
    assert [item.missing for item in completeness(manifest).items if item.missing] == []


def test_a_column_is_named_by_the_longest_word_of_the_dictionary() -> None:
    assert suggest("hang_gplx", "") == "driving.licence_class"
    assert suggest("cot_1", "Tỉnh nơi cư trú") == "place.province"
    assert suggest("x", "y") is None
    found = {each.name: each.suggested for each in completeness(read_manifest(MANIFEST)).dictionary}
    assert found == {"place": None, "illness": "health.diagnosis"}


def test_the_dictionary_is_of_folded_words_each_of_one_term() -> None:
    words = [word for term in terms() for word in term.words]
    assert len(words) == len(set(words))
    assert all(word == fold(word) for word in words)
    assert all(term_of(term.id) is term for term in terms())
