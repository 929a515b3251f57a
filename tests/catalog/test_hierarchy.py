"""Hierarchies: those we ship are trees that know what they should; what is no tree is refused with its line."""

from __future__ import annotations

import datetime
from importlib import resources
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vietnam_provinces import Province, Ward

from catalog.errors import ManifestRefused
from catalog.hierarchy import NotATree, read_hierarchy
from catalog.manifest import read_manifest
from catalog.transforms import UNMAPPED, Transform, apply, hierarchy_of, shipped_hierarchy
from tests.catalog.small import MANIFEST
from tests.examples import tried

SHIPPED = sorted(
    {
        "vn_ward",
        *(f.name[:-4] for f in (resources.files("catalog") / "hierarchies").iterdir() if f.name[-4:] == ".csv"),
    }
)
NEUTRAL = {
    "age": st.floats(0, 130) | st.integers(0, 130), "income_vnd": st.integers(-10, 10**10),
    "date": st.dates() | st.datetimes(), "occupation": st.from_regex(r"[0-9]{1,5}", fullmatch=True),
    "icd10": st.from_regex(r"[ABEFGIJK]0[0-2](\.[0-9])?", fullmatch=True),
    "vn_province": st.sampled_from(sorted(hierarchy_of("vn_province", {}).exact)),
    "vn_province_region": st.sampled_from(sorted(hierarchy_of("vn_province_region", {}).exact)),
    "sex": st.sampled_from(["Nam", "nữ", "NỮ ", "F", "male", "Khác"]),
    "vn_ward": st.sampled_from(sorted(hierarchy_of("vn_ward", {}).exact)),
}  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_hierarchy_is_a_tree_over_all_that_it_should_know(name: str) -> None:
    hierarchy = hierarchy_of(name, {})

    @settings(max_examples=tried(40), deadline=None)
    @given(st.lists(NEUTRAL[name], min_size=1, max_size=8))
    def holds(values: list[Any]) -> None:
        shown = [apply(Transform(hierarchy=name, level=l), values, {}) for l in range(1, hierarchy.levels + 1)]
        for fine, coarse in pairwise(shown):
            assert UNMAPPED not in fine
            assert len(set(zip(fine, coarse, strict=True))) == len(set(fine))

    holds()


def test_every_ward_and_province_of_the_country_and_the_63_old_names_stand_under_a_region() -> None:
    wards, provinces = hierarchy_of("vn_ward", {}), hierarchy_of("vn_province", {})
    names = {p.name for p in Province.iter_all()}
    assert len(names) == 34
    assert {wards.at(f"{int(w.code):05d}", 2) for w in Ward.iter_all()} == names
    assert {provinces.at(n, 1) for n in names} == names
    regions = {hierarchy_of("vn_province_region", {}).at(n, 1) for n in names}
    assert {provinces.at(n, 2) for n in names} == {wards.at(c, 3) for c in wards.exact} == regions
    assert len(regions) == 6
    assert provinces.at("Bà Rịa - Vũng Tàu", 1) == provinces.at("TP.HCM", 1) == "Thành phố Hồ Chí Minh"
    assert provinces.at("Tỉnh Hoà Bình", 1) == "Phú Thọ"


def test_icd_age_date_and_occupation_are_called_as_the_books_say() -> None:
    said = {("icd10", "A09.1", 1): "A09", ("icd10", "A09.1", 2): "A00-A09", ("icd10", "Y01", 2): "X85-Y09",
            ("icd10", "Y01", 3): "V01-Y98", ("age", 17, 2): "10-19", ("age", 81.5, 4): ">=60",
            ("date", datetime.date(2024, 5, 6), 2): "2024-Q2", ("date", datetime.date(2024, 5, 6), 5): "2020-2029",
            ("occupation", "2211", 3): "22", ("income_vnd", 6_999_999, 1): "5-<7 triệu"}  # fmt: skip
    assert {key: hierarchy_of(key[0], {}).at(*key[1:]) for key in said} == said
    assert hierarchy_of("icd10", {}).at("A10", 1) is None


@pytest.mark.parametrize(("text", "line", "label"), [
    ("Huế,Miền Trung,Việt Nam\nĐà Nẵng,Miền Trung,Nước ta", 2, "Miền Trung"),
    ("Huế,Miền Trung\nVinh,Miền Trung\nHuế,Miền Bắc", 3, "Huế"),
    ("0..4,trẻ\n\n4..9,lớn", 3, "4..9"), ("..4,trẻ\n3..,lớn", 2, "3.."),
    ("A00*..A09*,ruột\nA05*,khác", 2, "A05*"), ("A00*,{2},ruột", 1, "A00*"), ("A0*..A100*,ruột", 1, "A0*..A100*"),
    ("*,{year},{month}", 1, "{year}"), ("*,{3},{4}", 1, "{3}"), ("*,{tuần}", 1, "{tuần}"),
    ("*,ruột,{1}", 1, "ruột"),
])  # fmt: skip
def test_what_is_no_tree_is_refused_with_its_line_and_what_stands_twice(text: str, line: int, label: str) -> None:
    with pytest.raises(NotATree) as wrong:
        read_hierarchy(text)
    assert (wrong.value.params["line"], wrong.value.params["label"]) == (line, label)
    own = MANIFEST + f"hierarchies: {{nơi: {text!r}}}\n".replace("'", '"')
    with pytest.raises(ManifestRefused) as refused:
        read_manifest(own)
    (error,) = refused.value.errors
    assert (error.code, error.params["line"], error.params["hierarchy"]) == (
        "manifest.hierarchy_not_tree", line, "nơi",
    )  # fmt: skip


def test_a_name_that_is_no_hierarchy_opens_no_file() -> None:
    for name in ("../texts", "none", ""):
        with pytest.raises(KeyError):
            shipped_hierarchy(name)


@pytest.mark.parametrize(
    ("said", "province"),
    [
        ("HÀ NỘI", "Thành phố Hà Nội"), ("ha  noi", "Thành phố Hà Nội"), ("HN", "Thành phố Hà Nội"),
        ("Hà Tây", "Thành phố Hà Nội"), ("Tp. Hồ Chí Minh", "Thành phố Hồ Chí Minh"),
        ("tp.hcm", "Thành phố Hồ Chí Minh"), ("BR-VT", "Thành phố Hồ Chí Minh"),
        ("Bà Rịa – Vũng Tàu", "Thành phố Hồ Chí Minh"), ("Đắc Lắc", "Đắk Lắk"), ("TT. Huế", "Thành phố Huế"),
    ],
)  # fmt: skip
def test_provinces_are_known_as_offices_write_them(said: str, province: str) -> None:
    assert hierarchy_of("vn_province", {}).at(said, 1) == province


@pytest.mark.parametrize("said", ["ĐN", "Lào", "Hà", "", "12", "Nội Hà"])
def test_what_is_no_province_or_may_be_two_is_none(said: str) -> None:
    assert hierarchy_of("vn_province", {}).at(said, 1) is None


def test_letters_of_two_lines_are_nobodys_and_codes_are_read_as_they_stand() -> None:
    own = read_hierarchy("Bình,một\nBinh,hai\nA1,ba\nÂu,tư\n")
    assert [own.at(v, 1) for v in ("Bình", "Binh", "BÌNH", "a1", "A1", "ÂU", "au")] == [
        "một", "hai", None, None, "ba", "tư", "tư",
    ]  # fmt: skip


def test_bounds_that_differ_in_the_eighth_digit_are_two_labels() -> None:
    bins = Transform(bins=(12_345_678, 12_345_679, 20_000_000))
    shown = apply(bins, [12_345_677, 12_345_678, 12_345_679, 20_000_000], {})
    assert shown == ["<12345678", "12345678", "12345679-19999999", ">=20000000"]
    assert apply(Transform(bins=(0.5, 0.75)), [0.1, 0.5, 0.75], {}) == ["<0.5", "0.5-<0.75", ">=0.75"]
