"""Columns as strangers' files have them: how numbers, names, places are written, and what looks like them."""

from __future__ import annotations

import random

import pytest

from bench.pii import register
from catalog.pii.column import judge
from catalog.pii.names import strength
from catalog.pii.within import inside

_PLACES = [(10.5 + i / 37, 105.2 + i / 41) for i in range(40)]


def found(header: str, cells: list[str]) -> set[str]:
    said = judge(header, cells, year=2026).confidence
    return {kind for kind, confidence in said.items() if confidence > 0.5}


def degrees(value: float, side: str) -> str:
    whole, minutes = int(value), int(value % 1 * 60)
    return f"{whole}°{minutes:02d}'{value * 3600 % 60:04.1f}\"{side}"


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("vi_do", [degrees(north, "N") for north, _ in _PLACES]),
        ("Kinh độ", [degrees(east, "E") for _, east in _PLACES]),
        ("lat", [f"{east:.6f}" for _, east in _PLACES]),
        ("X", [f"{north * 110_574:.2f}" for north, _ in _PLACES]),
        ("toa_do_y", [f"{500_000 + (east - 105.75) * 109_000:.2f}" for _, east in _PLACES]),
    ],
    ids=["degrees", "degrees east", "turned round", "metres", "metres east"],
)
def test_half_of_a_place_is_known_in_degrees_metres_and_turned_round(header: str, cells: list[str]) -> None:
    assert found(header, cells) == {"coordinates"}


@pytest.mark.parametrize(
    "cells",
    [
        [f"{1 + i % 12:02d}/{1950 + i}" for i in range(40)],
        [str(-600_000_000 + 31_000_017 * i) for i in range(40)],
        [str(20_000 + 311 * i) for i in range(40)],
        [f"{1 + i % 28:02d}MAR{50 + i}" for i in range(40)],
        [f"March {1 + i % 28}, {1950 + i}" for i in range(40)],
    ],
    ids=["months", "seconds", "a spreadsheet's days", "airlines", "English"],
)
def test_a_birth_is_known_however_its_header_has_it_counted(cells: list[str]) -> None:
    assert found("Ngày sinh", cells) == {"birth_date"}
    assert not found("ngay_hoat_dong", cells)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Họ và tên đệm", ["Nguyễn Văn", "Trần Thị", "Lê Hữu", "Quách Ngọc", "Đỗ"]),
        ("first_name", ["Hương", "Minh Anh", "Tuấn", "John", "Thảo"]),
        ("surname", ["Nguyễn", "Trịnh", "Tạ", "Smith", "Hồ"]),
        ("Chủ hộ", ["H'Hen Niê", "Sùng A Chua", "Lò Văn Pan", "Y Blok Niê", "Tòng Thị Phóng", "Kră Jăn Tham"]),
        ("holder", ["Somchai Wongsa", "Anna Kowalska", "TANAKA HIROSHI", "David O'Brien", "Rajesh Kumar"]),
        ("PAX", ["HUYNH/TRONG KHANH MR", "KIEU/THIEN DUNG MS", "VU/HOANG SON MR", "LE/THI LAN MRS", "DO/VAN AN"]),
    ],
)
def test_parts_of_names_and_names_of_other_peoples_are_names(header: str, cells: list[str]) -> None:
    assert "person_name" in found(header, cells * 4)


def test_letters_of_old_keyboards_and_decomposed_ones_make_no_other_name() -> None:
    assert strength("Trần, Ngọc Oanh") == "strong"
    decomposed = ["Nguyê\u0303n Va\u0306n Nam", "Trâ\u0300n Thi\u0323 Hoa", "\u00d0ô\u0303 Minh \u00d0ức"] * 10
    assert found("c", decomposed) == {"person_name"}


def test_what_a_spreadsheet_made_of_a_number_is_undone() -> None:
    draw = random.Random(5)
    assert found("f3", [f"{int(register.citizen(draw))}.0" for _ in range(60)]) == {"citizen_id"}
    assert found("f3", [f"016{2 + i % 8}{draw.randrange(10**6, 10**7)}" for i in range(60)]) == {"phone"}


def test_digests_versions_and_codes_are_no_numbers_of_persons() -> None:
    draw = random.Random(7)
    cells = [
        f"{draw.getrandbits(32):08x}-0901-4{draw.randrange(10**3):03}-8123-091234567{i % 10:03}" for i in range(60)
    ]
    assert not found("request_id", cells)
    assert not found("iban", [f"DE06 1356 8755 6300 09{12 + i} 23" for i in range(60)])
    assert not found("c", [f"{1 + i % 9}.{1 + i % 12}.{50 + i % 40}" for i in range(60)])
    assert not found("Mã VT", [f"{'BC'[i % 2]}{1_234_567 + 71_317 * i}" for i in range(60)])
    assert not found("so_the", [f"HT 3 83 06266{38_044 + 777 * i}" for i in range(60)]) & {"bank_card"}


def test_a_numbered_header_says_nothing_and_another_days_header_speaks_against_a_birth() -> None:
    names = ["Nguyễn Văn An", "Trần Thị Hoa", "Lê Minh Đức", "Phạm Thu Hà", "Võ Hoàng Yến"]
    assert found("truong_5", names * 4) == {"person_name"}
    assert not found("ngày hoạt động", [f"{1 + i % 28:02d}/03/{1950 + i % 50}" for i in range(60)])


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("ship về 54Bis Ngô Quyền, TT Lim, Tiên Du, Bắc Ninh", "address", "54Bis Ngô Quyền"),
        ("Đổi: 61/35 30 Tháng 4, Phường 12, Quận Gò Vấp, TP HCM", "address", "61/35 30 Tháng 4"),
        ("Người bảo lãnh: Quách Phương Chi (bố)", "person_name", "Quách Phương Chi"),
        ("Gặp bác Tôn Thanh Hùng, 0558554364", "phone", "0558554364"),
    ],
)
def test_mentions_are_read_whole(text: str, kind: str, part: str) -> None:
    assert any(m.kind == kind and text[m.start : m.end].startswith(part) for m in inside(text, year=2026))


@pytest.mark.parametrize("text", ["Tiểu học Chu Văn An", "Học sinh nghỉ có phép 2 buổi", "THPT Võ Thị Sáu"])
def test_schools_and_sentences_name_nobody(text: str) -> None:
    assert not [m for m in inside(text, year=2026) if m.kind == "person_name"]


@pytest.mark.parametrize("sign", ["0", "1 ", "a@", "Nguyễn ", "10°", "1 a,", "e\u0301\u0323", "AB12 3456 "])
def test_a_million_signs_in_a_cell_are_looked_at_as_a_page_is(sign: str) -> None:
    """Without the bound, seconds to hours a header; and Python counts no number of a million digits."""
    for header in ("ghi chú", "ngày sinh", "họ tên", "vĩ độ"):
        assert len(judge(header, [sign * (1_000_000 // len(sign))], year=2026).cells) == 1


def test_a_place_is_known_in_decimal_minutes_and_with_its_side_before_it() -> None:
    minutes = [f"{int(n)}°{n % 1 * 60:.3f}'N, {int(e)}°{e % 1 * 60:.3f}'E" for n, e in _PLACES]
    before = [f"N{int(n)}°{int(n % 1 * 60):02d}'30\" E{int(e)}°{int(e % 1 * 60):02d}'15\"" for n, e in _PLACES]
    coarse = [f"{int(n)}°{int(n % 1 * 60):02d}'N {int(e)}°{int(e % 1 * 60):02d}'E" for n, e in _PLACES]
    assert found("ViTri", minutes) == found("ViTri", before) == {"coordinates"}
    assert not found("c1", coarse), "two kilometres"


def test_whoever_shows_another_paper_among_identity_cards_is_seen() -> None:
    cards = [cell for cell in next(c for c in register.columns(3) if "citizen_id" in c.truth[0]).cells if cell][
        :40
    ]
    assert found("id_no", [*cards, "C5659226", "N0068169", "B1234567"]) == {"citizen_id", "passport"}
    assert "old_citizen_id" in found("giay_to", [*cards, "024123987", "272345891", "191234776"])


def test_a_middle_name_that_is_shortened_leaves_a_name() -> None:
    members = [f"{surname} {middle}. {given}" for surname in ("Tạ", "La", "Mạc") for middle in "CTNB"
               for given in ("Việt", "Hoa", "An")]  # fmt: skip
    assert found("Hội viên", members) == found("c1", members) == {"person_name"}


def test_what_looks_like_a_number_of_a_person_and_is_of_a_machine_or_a_ware() -> None:
    assert not found("ip", [f"10.{27 + i}.{107 + i}.{112 + i}" for i in range(60)])
    assert not found("Seal", [f"{'BCNK'[i % 4]}{2_079_484 + 7_919 * i}" for i in range(60)])


@pytest.mark.parametrize(
    ("header", "cells", "kinds"),
    [
        ("HOTENBN", ["NGUYEN VAN AN", "TRAN THI BICH", "LE HUU PHUOC", "DO THI LAN"], {"person_name"}),
        ("SODTME", ["0912 345 678", "0987.654.321", "0356 789 012", "0701234567", "0903 111 222"], {"phone"}),
        ("Liên hệ", [f"Hoàng Văn Duy - 09122334{i}" for i in range(10, 15)], {"person_name", "phone"}),
        ("Người nhận", [f"Phạm Thị Hoa ({i + 10}/05/2018)" for i in range(5)], {"person_name", "birth_date"}),
        ("vnpt", [f"Vũ Thị Lan / 30F{i}8077" for i in range(8)], {"person_name", "plate"}),
        ("SOHC", [f"C987654{i}; B123450{i}" for i in range(9)], {"passport"}),
        ("bks", ["18 - G4 - 57356", "83 - D7 - 12652", "30A.123.45", "80-003-NN-22"], {"plate"}),
        ("vị trí", [f'{{"lat": {n:.6f}, "lng": {e:.6f}}}' for n, e in _PLACES], {"coordinates"}),
        ("tdx_tdy", [f"X={n * 1e5:.2f}; Y={e * 5e3:.2f}" for n, e in _PLACES], {"coordinates"}),
        ("Vĩ độ", [f"{n:.4f}° N" for n, _ in _PLACES], {"coordinates"}),
        (
            "gui_toi", [f"Trần Thị {name}, Đội {len(name)}, xã Tân Kiên, huyện Bình Chánh, TPHCM"
                        for name in ("Hoa", "Lan", "Mai", "Đào", "Cúc", "Huệ")], {"person_name", "address"},
        ),
        ("NgSinhMe", ["00/00/1968", "12/03/1971", "--/--/1980", "1975"], {"birth_date"}),
    ],
)  # fmt: skip
def test_joined_headers_several_values_and_other_ways_to_write_hide_nothing(
    header: str, cells: list[str], kinds: set[str]
) -> None:
    assert found(header, cells * 3) >= kinds


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("đồng ý", ["Có", "Không"] * 50),
        ("x33", ["21.244", "9.125", "15.501"]),
        ("SBD", [f"0{26602222 + 401 * i}" for i in range(40)]),
        ("MA_HS", [f"H31.84.{i % 9}-0{213561 + i}-82{i:02d}" for i in range(40)]),
        ("NOI_CAP", ["Cục CSQLHC về TTXH", "CA TP Hà Nội", "CA Nghệ An"] * 10),
        ("F25", ["TTGDTX Chu Văn An", "THPT Chuyên Lê Quý Đôn", "Trường TH Võ Thị Sáu"] * 20),
        ("so_hieu_bang", [f"{'ABC'[i % 3]}{8151012 + 77777 * i % 1_000_000}" for i in range(40)]),
        ("cong_trinh", ["Hồ Tân Xã", "Cầu Trần Hoàng Na"] * 40),
    ],
)
def test_what_only_looks_like_a_person_in_a_strange_column_is_none(header: str, cells: list[str]) -> None:
    assert not found(header, cells) - {"area"}


def test_given_names_that_are_also_words_of_firms_are_names() -> None:
    assert strength("Đỗ Trung Tâm") != "no"
    assert strength("Trung tâm Ngoại ngữ Sao Mai") == "no"


_PLATES = [f"{29 + i % 9}A-{i * 7919 % 90_000 + 10_000}" for i in range(40)]
_PERSONS = [f"{['An', 'Bình', 'Hoa', 'Lan'][i % 4]} {['Đức', 'Ngọc', 'Thu'][i % 3]} Nguyễn" for i in range(12)]
_IDS = [f"0{['01', '79', '36', '48'][i % 4]}0{60 + i % 40}{i * 7919 % 999_983:06d}" for i in range(40)]
SAID = {
    "what a column is called stands first": ("BKS xe đưa đón", _PLATES, {"plate"}),
    "a code of a vehicle's order": ("mã đơn", [f"{i * 7919 % 10**9:010d}" for i in range(40)], set()),
    "who does something": ("nguoi_phe_duyet", _PERSONS, {"person_name"}),
    "who owns something": ("ten_chu_dat", _PERSONS, {"person_name"}),
    "whom something is given to": ("AssignedTo", _PERSONS, {"person_name"}),
    "what is called so by chance": ("chu_de", ["Kinh tế", "Văn hóa", "Thể thao"] * 9, set()),
    "sights called after persons": ("ten_di_tich", ["Đền Trần", "Chùa Hà", "Đình Kim Liên"] * 9, set()),
    "a full stop behind a number": ("y3", [f"{cell}." for cell in _IDS], {"citizen_id"}),
    "milliseconds": ("lat_ms", [f"{8 + i / 3:.3f}" for i in range(40)], set()),
    "a debt": ("long_term_debt", [f"{102 + i / 7:.4f}" for i in range(40)], set()),
}


@pytest.mark.parametrize(("header", "cells", "kinds"), SAID.values(), ids=SAID)
def test_a_header_is_read_by_its_head_word_and_by_who_does_what(
    header: str, cells: list[str], kinds: set[str]
) -> None:
    assert found(header, cells) == kinds


@pytest.mark.parametrize(
    ("said", "kind"), [("mất hộ chiếu số C1234567", "passport"), ("xuất hóa đơn MST: 0100109106", "tax_code")]
)
def test_a_number_that_a_text_names_is_found_whatever_its_column_is_called(said: str, kind: str) -> None:
    idle = [f"đề nghị bổ sung hồ sơ trang {i} trước ngày hẹn trả" for i in range(60)]
    assert kind in found("noi_dung_don", [*idle, said])


def test_codes_of_nine_digits_that_begin_in_one_way_are_no_telephone_numbers() -> None:
    draw = random.Random(11)
    assert not found("cif_no", [f"3{draw.randrange(10**8):08d}" for _ in range(80)])
    assert not found("f_39", [f"5{draw.randrange(10**8):08d}" for _ in range(80)])
    series = ["32", "70", "86", "91", "98"]
    assert found("f_5", [f"{series[i % 5]}{draw.randrange(10**7):07d}" for i in range(80)]) == {"phone"}


WRITTEN = {
    "a plate with its dot": (["77H 500.58"], {"plate"}),
    "a card of this country": (["9704 2240 7702 6348"], {"bank_card"}),
    "a number from abroad": (["+84912345678"], {"phone"}),
    "three persons": (["Phí Thị Nở", "Nguyễn Văn Tèo", "Lê Thị Sáu"], {"person_name"}),
    "a code's last group": (["M1-24-SVEAT-00778089653", "M2-23-CLR1T-84327270941"] * 20, set()),
}


@pytest.mark.parametrize(("cells", "kinds"), WRITTEN.values(), ids=WRITTEN)
def test_a_nameless_column_of_few_cells_is_known_by_what_nobody_writes_otherwise(
    cells: list[str], kinds: set[str]
) -> None:
    assert found("cột J", ["", *cells, ""]) == kinds


def test_a_card_of_the_health_insurance_is_one_though_its_header_speaks_of_some_code() -> None:
    draw = random.Random(13)
    cells = [f"{['DN', 'HT', 'GD'][i % 3]}4{['79', '01'][i % 2]}{draw.randrange(10**10):010d}" for i in range(150)]
    judged = judge("MA_THE", cells, year=2026)
    assert all("social_insurance" in kinds for kinds in judged.cells)


def test_turned_names_without_marks_are_known_by_every_fifth_being_a_nguyen() -> None:
    given = ["Lua", "Nhan", "Hoa", "Long", "Thang", "Yen"]
    people = [f"{a} {b}" for a in given for b in ("Nguyen", "Nguyen", "Trinh", "Le", "Tran", "Doan")]
    assert found("dd_cham_soc", people) == {"person_name"}
    assert not found("f_48", ["CN Ba Dinh", "PGD Tran Duy Hung", "CN Thang Long", "PGD Le Trong Tan"] * 12)


def test_titles_that_nobody_listed_and_rare_surnames_are_read() -> None:
    assert strength("KTS. Lại Xuân Trường") == strength("NCS. Tôn Ánh Viên") == "likely"
    assert strength("Trà Thị Thu Hoa") == "strong"
    assert strength("Tẩn Thị Mai") == "strong"
    assert strength("Tan Tien Phat") not in ("strong", "likely")


def test_an_address_may_have_no_comma_and_a_short_city_or_an_industrial_zone() -> None:
    assert found("col_s", [f"{i + 7}/13 Cây Trâm P{8 + i % 9} Gò Vấp HCM" for i in range(40)]) == {"address"}
    assert found("c", [f"Nhà xưởng A{i}, KCN Sóng Thần, Bình Dương" for i in range(40)]) == {"address"}
