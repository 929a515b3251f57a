"""Values with what forms and programs write around them: labels, issuers, quotes, a list's numbers."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from bench.pii import register
from catalog.pii.column import judge
from catalog.pii.within import inside
from catalog.pii.wrapped import core, unwrapped

_DRAW = random.Random(11)
_CITIZENS = [register.citizen(_DRAW) for _ in range(40)]
_OLD = [f"{_DRAW.randrange(10, 38)}{_DRAW.randrange(10**7):07}" for _ in range(40)]
_DAYS = [f"{1 + i % 28:02}/{1 + i % 12:02}/{1950 + i}" for i in range(40)]
_NAMES = ["Nguyễn Văn Hùng", "Trần Thị Lan", "Lê Minh Tuấn", "Phạm Thu Hương", "Đỗ Quốc Khánh"] * 8


def found(header: str, cells: list[str]) -> set[str]:
    said = judge(header, cells, year=2026).confidence
    return {kind for kind, confidence in said.items() if confidence > 0.5}


@pytest.mark.parametrize(
    ("header", "cells", "kinds"),
    [
        ("CCCD, ngày cấp", [f"{each} cấp ngày 02/03/2021" for each in _CITIZENS], {"citizen_id"}),
        ("national_id", [f"CC{each}" for each in _CITIZENS], {"citizen_id"}),
        ("so_cccd", [f'"{each}"' for each in _CITIZENS], {"citizen_id"}),
        ("CMND (nơi cấp)", [f"{each} - 08/10/2007 - CA Thừa Thiên Huế" for each in _OLD], {"old_citizen_id"}),
        ("Passport", [f"KOR-M{10_000_019 + 7_919_111 * i}"[:13] for i in range(10)] * 3, {"passport"}),
        ("Hộ chiếu", [f"C{1_234_567 + 91_907 * i} cấp 01/07/2017, hạn 2027" for i in range(40)], {"passport"}),
        ("Ngày sinh, nơi sinh", [f"{each}, Cà Mau" for each in _DAYS], {"birth_date"}),
        ("Ngày sinh", [f"{each} (43 tuổi)" for each in _DAYS], {"birth_date"}),
        ("TT. Họ tên", [f"{i}. {name}" for i, name in enumerate(_NAMES, 1)], {"person_name"}),
        ("KTV", ["N. V. Phong", "T. H. Lan", "L. M. Tuấn", "P. T. T. Hương"] * 8, {"person_name"}),
        ("Số máy", [f"0912/{100 + 17 * i}/{345 + i}" for i in range(40)], {"phone"}),
        ("gps_log", [f"{10.5 + i / 37:.6f},{105.2 + i / 41:.6f},{i}" for i in range(40)], {"coordinates"}),
        ("plate_txt", [f"{29 + i % 9}A_{123 + 11 * i}.{10 + i}" for i in range(40)], {"plate"}),
        ("Ngày sinh", [each.replace("/", "-thg ", 1).replace("/", "-") for each in _DAYS], {"birth_date"}),
        ("dob", [each.replace("/", " ") for each in _DAYS], {"birth_date"}),
        ("Birthdate", [each.replace("/", ",") for each in _DAYS], {"birth_date"}),
        ("Năm sinh BN", [f"Sinh năm {each[-4:]}" for each in _DAYS], {"birth_date"}),
        ("Giới tính, ngày sinh", [f"Nữ, {each}" for each in _DAYS], {"birth_date"}),
        ("Bên vay", [f"{one} & {other}" for one, other in pairwise(_NAMES)], {"person_name"}),
        ("Tổ trưởng", [f"1. {one}\n2. {other}" for one, other in pairwise(_NAMES)], {"person_name"}),
        ("phu_mo_1", [f"NV{i:04} - {name}" for i, name in enumerate(_NAMES)], {"person_name"}),
        ("Trưởng thôn", ["Vừ Hoài Nhung", "Thào Khánh Giang", "Lò Tâm", "Bế Oanh"] * 8, {"person_name"}),
        ("Xe (nhãn hiệu, biển số)", [f"Vision 29C1{10_234 + 1_031 * i}" for i in range(40)], {"plate"}),
        ("Máy bàn", [f"(028) {3_810_2234 + 10_101 * i} - {101 + i}" for i in range(40)], {"phone"}),
        ("y2", [f"0084{912_345_678 + 1_313 * i}" for i in range(5)], {"phone"}),
        ("SDT_CHUHO", [f"0912·{100 + 17 * i}·{345 + i}" for i in range(40)], {"phone"}),
        ("cc_nguoi_the_chap", [f"[{each}]" for each in _CITIZENS], {"citizen_id"}),
        ("Lái phụ", [f"(Nữ) {name}" for name in _NAMES], {"person_name"}),
        ("renter", [f"{name}, CPA" for name in _NAMES], {"person_name"}),
        ("HLV trưởng", [name.lower() for name in _NAMES], {"person_name"}),
        ("Sender", [f'"{name}" <nhan{i}@gmail.com>' for i, name in enumerate(_NAMES)], {"person_name", "email"}),
        ("Biển số", [f"51H-{123 + 11 * i}.{10 + i}V" for i in range(40)], {"plate"}),
    ],
)  # fmt: skip
def test_a_number_is_known_with_what_is_written_around_it(header: str, cells: list[str], kinds: set[str]) -> None:
    assert found(header, cells) == kinds


def test_a_person_before_a_number_that_the_header_speaks_of_stays_a_person() -> None:
    cells = [f"{name}: 0912{345_678 + 1_313 * i}" for i, name in enumerate(_NAMES)]
    assert found("Người liên hệ - ĐT", cells) == {"person_name", "phone"}


def test_what_a_text_or_a_header_says_of_a_number_is_enough() -> None:
    idle = ["Tái khám sau hai tuần, đã dặn uống thuốc đủ liều"] * 30
    told = [f"BN nữ, sinh năm {1950 + i}, đau bụng" for i in range(8)]
    assert "birth_date" in found("benh_su", idle + told)
    people = [f"{name}; {day}; {citizen}" for name, day, citizen in zip(_NAMES, _DAYS, _CITIZENS, strict=True)]
    assert found("tk_khai_sinh", people) == {"person_name", "birth_date", "citizen_id"}


def test_what_only_looks_like_a_person_or_a_card_is_none() -> None:
    assert not found("notary_office", ["VPCC Nguyễn Thị Thanh", "Văn phòng luật sư Trần Vũ Hải"] * 20)
    assert not found("kcb_name", ["TYT xã Lê Minh Xuân", "BVĐK Đức Giang", "BV Lê Văn Thịnh"] * 20)
    assert not found("w40", ["Sư Vạn Hạnh", "Hồ Học Lãm", "Đinh Bộ Lĩnh", "Trần Não"] * 20)
    assert not found("toy", ["Búp bê Thanh Mai", "Xe Minh Đức", "Robot Bảo An"] * 20)
    assert not found("ngay_du_sinh", [f"{1 + i:02}/05/2027" for i in range(28)])
    assert not found("CIF", [f"17{_DRAW.randrange(10**7):07}" for _ in range(100)])
    assert "tax_code" not in found("thong_tin_giao", [f"{name} | 0908694524 | nhà" for name in _NAMES])


def test_a_health_card_under_a_header_of_cards_is_no_bank_card() -> None:
    cells = [f"DN4{_DRAW.choice(['01', '79', '48'])}{_DRAW.randrange(10**10):010}" for _ in range(200)]
    assert found("số thẻ bh", cells) == {"social_insurance"}


def test_the_square_of_a_citizens_card_tells_both_numbers_the_name_and_the_birth() -> None:
    text = "034307657810|215286641|Lương Ngọc Linh|14051965|Nữ|Tổ 3, Hà Nội|02032021"
    kinds = {match.kind: text[match.start : match.end] for match in inside(text, year=2026)}
    assert kinds["citizen_id"] == "034307657810"
    assert kinds["old_citizen_id"] == "215286641"
    assert (kinds["person_name"], kinds["birth_date"]) == ("Lương Ngọc Linh", "14051965")


def test_an_office_and_its_place_are_no_person() -> None:
    assert not [match for match in inside("cấp bởi CA Thừa Thiên Huế", year=2026) if match.kind == "person_name"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("79172274184.0", "79172274184"), ("9704156080929607.0", "9704156080929607"), ("“0123”", "0123"),
        ("0660510092 - 016", "0660510092-016"), ("20. Lý Vân", "Lý Vân"), ("1.5", "1.5"), ("12. 5", "12. 5"),
    ],
)  # fmt: skip
def test_only_what_is_no_part_of_a_value_is_taken_off(cell: str, value: str) -> None:
    assert unwrapped(cell) == value


@pytest.mark.parametrize("cell", ["", "0123456789", "C1234567", "29A-123.45", "không có", "Nguyễn Văn An"])
def test_a_value_with_nothing_around_it_is_its_own_core(cell: str) -> None:
    assert core(cell) == cell
