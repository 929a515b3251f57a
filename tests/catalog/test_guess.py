"""A first manifest for a file that nobody has described."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from catalog.check import check
from catalog.errors import ManifestRefused, PublicationRefused
from catalog.guess.guess import NULL_WORDS, guess
from catalog.guess.hints import hint_of, words_of
from catalog.guess.told import GuessReply, Reason
from catalog.guess.writing import manifest_text, slug_of, sql_name
from catalog.jailed import guessing
from catalog.jailed.refused import Refused
from catalog.manifest import Manifest, read_manifest
from catalog.pii.order import ScanOrder
from catalog.wire import IngestOrder
from tests.catalog.conftest import EXAMPLES, LIMITS
from tests.catalog.plain import descriptors, parquet_bytes_of
from tests.catalog.test_manifest import errors_of
from tests.catalog.workbooks import Cell, workbook

OWNERS = {
    'title: {vi: "", en: ""}': "title: {vi: Thử, en: Test}",
    'description: {vi: "", en: ""}': "description: {vi: Thử, en: Test}",
    'owner: ""': "owner: test", 'licence: ""': "licence: CC0-1.0", 'source: ""': "source: a test",
    'themes: [""]': "themes: [test]",
    'temporal: ""': "temporal: 2025", 'update_frequency: ""': "update_frequency: once",
    'population: ""': "population: nobody",
    'legal_basis: {kind: "", law: ""}': "legal_basis: {kind: public, law: test}",
    'purposes: [""]': "purposes: [research.academic]",
    'meaning: {vi: "", en: ""}': "meaning: {vi: Cột, en: Column}",
}  # fmt: skip


_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def filled(text: str) -> str:
    for empty, words in OWNERS.items():
        text = text.replace(empty, words)
    return text


def guessed(content: bytes) -> GuessReply:
    order = IngestOrder(
        columns=(), null_words=NULL_WORDS, max_rows=10**6, max_bytes=10**8, max_row_group_bytes=10**8
    )
    with descriptors(content) as files:
        return msgspec.msgpack.decode(
            guessing.main(msgspec.msgpack.encode(order), files, io.BytesIO()), type=GuessReply
        )


def roles(reply: GuessReply) -> dict[str, tuple[str, str, str]]:
    return {c.name: (c.type, c.role, c.reason) for c in reply.columns}


def manifest_of(reply: GuessReply) -> Manifest:
    return read_manifest(filled(manifest_text(reply, slug="test")))


def test_the_first_manifest_of_adult_is_accepted_once_the_owner_has_filled_it_in() -> None:
    source = EXAMPLES / "adult" / "adult.csv.gz"
    text = manifest_text(guess(source, limits=LIMITS), slug=slug_of(source.name))
    with pytest.raises(ManifestRefused) as refused:
        read_manifest(text)
    asked = {text.splitlines()[e.line - 1].split(":")[0].strip() for e in refused.value.errors}
    assert asked == {
        "title", "description", "owner", "licence", "source", "themes", "temporal", "update_frequency",
        "population", "legal_basis", "purposes", "meaning",
    }  # fmt: skip
    report = check(source, filled(text), limits=LIMITS)
    assert (report.errors, report.refusal) == ((), None)
    assert report.version is not None
    assert report.version.dataset == "adult"
    assert report.version.fine_share > 0.5
    assert report.version.left_out.share == 0
    assert report.version.measured.k >= 10
    assert {c.name for c in report.version.columns if c.role == "sensitive"} == {"salary_class"}


ROWS = [
    f"{i:012d},Nguyễn Văn {i},{i % 28 + 1}/{i % 12 + 1}/{1950 + i % 40},{'Nam' if i % 2 else 'Nữ'},"
    f'{"Cao Bằng" if i % 3 else "Tuyên Quang"},{10_000_000 + 37_003 * i},"{i % 9},5",'
    f"{'có' if i % 4 else 'không'},VN,,{i % 120},0{i % 5},2025-01-{i % 28 + 1:02d} 10:{i % 60:02d}"
    for i in range(400)
]
HEADER = "Số CCCD,Họ và tên,Ngày sinh,Giới tính,Nơi,Thu nhập,Điểm,Đồng ý,Nước,Trống,Mã phường,Mã,Lúc"
PEOPLE = "\n".join([HEADER, *ROWS]).encode()


def test_types_and_roles_are_guessed_with_their_reasons() -> None:
    reply = guessed(PEOPLE)
    assert roles(reply) == {
        "Số CCCD": ("text", "identifier", "named_identifier"),
        "Họ và tên": ("text", "identifier", "named_identifier"),
        "Ngày sinh": ("date", "drop", "too_rare_together"),
        "Giới tính": ("text", "quasi-identifier", "few_values"),
        "Nơi": ("text", "quasi-identifier", "hierarchy"),
        "Thu nhập": ("integer", "sensitive", "named_sensitive"),
        "Điểm": ("number", "quasi-identifier", "numbers"),
        "Đồng ý": ("boolean", "drop", "consent"),
        "Nước": ("text", "drop", "constant"),
        "Trống": ("text", "drop", "empty"),
        "Mã phường": ("integer", "quasi-identifier", "numbers"),
        "Mã": ("text", "identifier", "named_identifier"),
        "Lúc": ("timestamp", "quasi-identifier", "dates"),
    }
    assert (reply.subject_key, reply.rows, reply.whole) == ("Số CCCD", 400, True)
    manifest = manifest_of(reply)
    assert (manifest.privacy_unit, manifest.subject_key) == ("column", "Số CCCD")
    assert {c.sql_name for c in manifest.columns_of("quasi-identifier")} >= {"gioi_tinh", "noi", "diem"}


def test_what_cells_look_like_outweighs_what_their_column_is_called() -> None:
    series = ("090", "091", "093", "097", "098")
    rows = [f"{i % 3},{series[i % 5]}{1_345_678 + 37_911 * i},{i}" for i in range(150)]
    content = "\n".join(["nhom,ma_hang,so", *rows]).encode()
    order = IngestOrder(
        columns=(), null_words=NULL_WORDS, max_rows=10**6, max_bytes=10**8, max_row_group_bytes=10**8,
        scan=ScanOrder(year=2026),
    )  # fmt: skip
    with descriptors(content) as files:
        reply = guessing.guess(order, files)
    assert roles(reply)["ma_hang"][1:] == ("identifier", "detected")
    assert "giá trị trông như số điện thoại" in manifest_text(reply, slug="test")
    with descriptors("\n".join(rows).encode()) as files, pytest.raises(Refused, match="no_header"):
        guessing.guess(order, files)


def test_no_cell_leaves_the_jail() -> None:
    told = msgspec.json.encode(guessed(PEOPLE)).decode()
    for cell in ("Nguyễn Văn 7", "000000000007", "Cao Bằng", "Nữ", "37003"):
        assert cell not in told


def test_parquet_and_ndjson_are_guessed_alike() -> None:
    rows = [json.dumps({"tuổi": i % 80, "tỉnh": "Huế" if i % 2 else "Hà Nội"}) for i in range(300)]
    expected = {
        "tuổi": ("integer", "quasi-identifier", "numbers"),
        "tỉnh": ("text", "quasi-identifier", "hierarchy"),
    }
    assert roles(guessed("\n".join(rows).encode())) == expected
    table: dict[str, list[Any]] = {
        "tuổi": [i % 80 for i in range(300)],
        "tỉnh": ["Huế" if i % 2 else "Hà Nội" for i in range(300)],
    }
    assert roles(guessed(parquet_bytes_of(table))) == expected


def test_titles_over_a_workbooks_header_are_no_column_and_a_header_without_all_names_is_one() -> None:
    rows: list[list[Cell]] = [[f"P{i:03d}", ["Nam", "Nữ"][i % 2], 20 + i % 9, "ghi chú"] for i in range(40)]
    titled = guessed(
        workbook([["DANH SÁCH"], ["Cá nhân", None, "Khác"], ["mã", "giới tính", "tuổi", "ghi"], *rows])
    )
    assert ([c.name for c in titled.columns], titled.rows) == (["mã", "giới tính", "tuổi", "ghi"], 40)
    few = guessed(workbook([["mã"], *rows]))
    assert ([c.name for c in few.columns], few.rows) == (["mã"], 40)


def test_unclear_decimals_and_short_years_are_asked_for() -> None:
    reply = guessed("điểm,ngày\n".encode() + b"\n".join(b'"1,2%02d",5/3/%02d' % (i, i) for i in range(60)))
    assert (reply.decimal_unclear, reply.two_digit_years) == (("điểm",), True)
    text = manifest_text(reply, slug="test")
    assert [e.code for e in errors_of(filled(text))] == ["manifest.none_chosen"]
    manifest = read_manifest(filled(text).replace('decimal: ""', "decimal: comma"))
    assert (manifest.reading.decimal, manifest.reading.century_from) == ("comma", 1930)


NAMES = [
    "<script>alert(1)</script>", '=cmd|"/c"!A1', "\u202etuổi", '"; drop table x; --', "yes", "null",
    "a: b # c", "- x",
    "{a}", "n", "N", "a__b", "Đường phố", "đường-phố", "9lives", "😀", "a\\b",
]  # fmt: skip


def test_whatever_a_column_is_called_the_manifest_names_it_rightly() -> None:
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in NAMES)
    body = "\n".join(",".join(str((i * (c + 3)) % 2) for c in range(len(NAMES))) for i in range(300))
    reply = guessed(f"{quoted}\n{body}\n".encode())
    assert [c.name for c in manifest_of(reply).columns] == NAMES
    assert all(c.isprintable() or c == "\n" for c in manifest_text(reply, slug="test"))


def test_of_very_many_columns_only_so_many_are_listed() -> None:
    header = ",".join(f"c{i}" for i in range(200))
    rows = [",".join(["a"] * 199 + ["xy"[i % 2]]) for i in range(50)]
    reply = guessed("\n".join([header, *rows]).encode())
    columns = manifest_of(reply).columns
    assert (len(columns), columns[-1].name, columns[-1].role) == (64, "c199", "quasi-identifier")
    assert "136" in manifest_text(reply, slug="test")


def test_what_cannot_be_read_is_refused_as_a_publication_would_be(tmp_path: Path) -> None:
    assert guessed(b"").refusal is not None
    file = tmp_path / "a.csv"
    file.write_bytes(b"%PDF-1.7 \0\0")
    with pytest.raises(PublicationRefused, match="not_text"):
        guess(file, limits=LIMITS)


def test_every_reason_has_its_words_in_both_languages() -> None:
    words = json.loads((Path(guessing.__file__).parents[1] / "guess" / "words.json").read_text(encoding="utf-8"))
    assert set(get_args(Reason)) <= set(words)
    for both in words.values():
        assert set(both) == {"vi", "en"}
        assert re.findall(r"{\w+}", both["vi"]) == re.findall(r"{\w+}", both["en"])


def test_names_are_read_as_words() -> None:
    assert words_of("GiớiTính") == words_of("gioi_tinh") == "gioi tinh"
    assert hint_of("Số điện thoại") is not None
    assert hint_of("message") is None
    assert hint_of("percentage") is None
    taken: set[str] = set()
    assert [sql_name(n, taken) for n in ("Đường phố", "đường-phố", "9", "n")] == [
        "duong_pho", "duong_pho_2", "c_9", "n_1",
    ]  # fmt: skip
    assert (slug_of("Giấy phép.csv.gz"), slug_of("😀.csv")) == ("giay_phep", "dataset")


def office_row(i: int) -> str:
    cost = f"{50 + 25 * (i % 60):,}".replace(",", ".")
    name, key = f"NGUYỄN  VĂN {'ABCDE'[i % 5]}", f"0792{i % 20:08d}"
    return f"{i + 1};{name};{key};{i % 28 + 1:02d}/03/2026;2026-01-{i % 9 + 1:02d};{cost}.000"


OFFICE = (
    'SỞ Y TẾ;;;;\n\nSTT;Họ và tên;"Số\nCCCD";Ngày;Ngày;Chi phí\n(1);(2);(3);(4);(5);(6)\n'
    + "\n".join(map(office_row, range(120)))
    + "\n;TỔNG CỘNG;;;;9.999.000\nNgười lập biểu;;;;;\n"
)


def test_a_sheet_as_offices_send_it_is_told_apart_into_titles_header_records_and_totals() -> None:
    order = IngestOrder(
        columns=(), null_words=NULL_WORDS, max_rows=10**6, max_bytes=10**8, max_row_group_bytes=10**8,
        scan=ScanOrder(year=2026),
    )  # fmt: skip
    with descriptors(OFFICE.encode("utf-16")) as files:
        reply = guessing.guess(order, files)
    assert (reply.delimiter, reply.header_row, reply.rows, reply.total_rows) == (";", 3, 120, (4, 125, 126))
    assert [c.name for c in reply.columns] == ["STT", "Họ và tên", "Số\nCCCD", "Ngày #4", "Ngày #5", "Chi phí"]
    # Twenty persons in 120 rows, and a running number is nobody's; 50.000 is of thousands, for 1.525.000 is.
    assert (reply.subject_key, reply.repeated_key, reply.decimal) == ("", "Số\nCCCD", "comma")
    manifest = read_manifest(filled(manifest_text(reply, slug="so_y_te")))
    assert manifest.reading.max_rejected_share == pytest.approx(0.025)
    assert {event.by for event in manifest.events.values() if event.take == "last"} == {"Ngày #4"}


def test_what_a_spreadsheet_rounded_is_said_and_a_department_is_no_key() -> None:
    rows = "\n".join(f"7,92{i:02d}E+10;{['Nội', 'Ngoại', 'Sản'][i % 3]};{1950 + i % 55};x" for i in range(100))
    reply = guessed(f"so_cccd;khoa;nam_sinh;dong_y\n{rows}\n".encode())
    told = {c.name: (c.role, c.reason) for c in reply.columns}
    assert told["so_cccd"] == ("identifier", "rounded")
    assert told["khoa"] == ("quasi-identifier", "few_values")
    assert told["dong_y"] == ("drop", "consent")
    assert 'meaning: {vi: "Năm sinh", en: "Year of birth"}' in manifest_text(reply, slug="x")
    assert [c.transform and c.transform.bins for c in reply.columns if c.name == "nam_sinh"] == [(1970, 1980)]
    assert "# consent: {research.academic: dong_y}" in manifest_text(reply, slug="test")


def test_rows_with_more_or_fewer_cells_than_the_header_are_told() -> None:
    rows = [f"0{i:09d};{['Nam', 'Nữ'][i % 2]};{1950 + i % 50}" for i in range(100)]
    rows[39], rows[79] = "0000000039;Nam", "0000000079;Nữ;1980;x;y"
    reply = guessed("\n".join(["ma;gioi_tinh;nam_sinh", *rows, ""]).encode())
    assert (reply.rows, reply.ragged, reply.ragged_rows) == (98, 2, (41, 81))
    text = manifest_text(reply, slug="giay_phep")
    assert "dòng 41, 81" in text
    assert "row 41, 81" in text
    assert read_manifest(filled(text)).reading.max_rejected_share == pytest.approx(0.02)


def test_days_of_which_a_few_do_not_exist_are_told_as_such() -> None:
    rows = [f"{1 + i % 28}/{1 + i % 12}/{1950 + i % 50};Nam" for i in range(300)]
    rows[5] = rows[60] = "31/02/1990;Nữ"
    (days, _) = guessed("\n".join(["ngay_cap;gioi_tinh", *rows, ""]).encode()).columns
    assert (days.role, days.reason) == ("drop", "almost_dates")
    (births, _) = guessed("\n".join(["ngay_sinh;gioi_tinh", *rows, ""]).encode()).columns
    assert (births.role, births.reason) == ("drop", "almost_dates")


def test_a_code_is_the_key_before_a_name_that_others_may_have() -> None:
    clans, given = (
        ("Nguyễn", "Trần", "Lê", "Phạm"),
        ("An", "Bình", "Hòa", "Lan", "Mai", "Nam", "Phúc", "Sơn", "Tâm", "Vy"),
    )
    lines = ["Họ tên,Mã BN,Tuổi"] + [
        f"{clans[i % 4]} Thị {given[i // 4]},BN{i * 7919 % 9973:04d},{20 + i % 3}" for i in range(40)
    ]
    order = IngestOrder(
        columns=(), null_words=NULL_WORDS, max_rows=10**6, max_bytes=10**8, max_row_group_bytes=10**8,
        scan=ScanOrder(year=2026),
    )  # fmt: skip
    with descriptors("\n".join(lines).encode()) as files:
        assert guessing.guess(order, files).subject_key == "Mã BN"


def test_a_column_that_would_leave_too_few_to_fall_back_is_not_proposed() -> None:
    """Nine of 120 persons beside classes of at least ten: no version could be made of what was guessed."""
    rows = ["Nam;A"] * 56 + ["Nữ;A"] * 55 + ["Nữ;B"] * 9
    reply = guessed("\n".join(["gioi_tinh;loai", *rows, ""]).encode())
    assert {c.name: c.role for c in reply.columns} == {"gioi_tinh": "quasi-identifier", "loai": "drop"}
    enough = guessed("\n".join(["gioi_tinh;loai", *rows, *["Nam;C"] * 2, ""]).encode())
    assert {c.role for c in enough.columns} == {"quasi-identifier"}


def test_failed_formulas_of_a_csv_are_proposed_as_empty() -> None:
    reply = guessed("\n".join(["a,b", *(f"{i},{'#DIV/0!' if i % 9 == 4 else i * 5}" for i in range(60))]).encode())
    assert reply.null_words[-1] == "#DIV/0!"
    assert {c.name: c.type for c in reply.columns}["b"] == "integer"


def test_failed_formulas_of_a_workbook_are_told_of_the_sheet_that_is_read() -> None:
    def sheet(errors: int) -> bytes:
        rows = "".join(
            f'<row r="{i}"><c r="A{i}"><v>{i % 4}</v></c>'
            + (
                f'<c r="B{i}" t="e"><v>#N/A</v></c></row>'
                if i <= errors + 1
                else f'<c r="B{i}"><v>{i}</v></c></row>'
            )
            for i in range(2, 60_000)
        )
        header = '<row r="1"><c r="A1" t="str"><v>khoa</v></c><c r="B1" t="str"><v>phi</v></c></row>'
        return f'<worksheet xmlns="{_SHEET}"><sheetData>{header}{rows}</sheetData></worksheet>'.encode()

    reply = guessed(workbook([["x"]], [["y"]], sheet_xml=sheet(40_123), hidden=[2]))
    assert reply.formula_errors == 40_123
    text = manifest_text(reply, slug="x")
    assert "40,123 ô" in text
    assert "40,123 cells" in text
    hidden = {"xl/worksheets/sheet2.xml": sheet(7)}
    assert guessed(workbook([["khoa", "phi"], *([i % 4, i] for i in range(50))], more=hidden)).formula_errors == 0
