"""Synthetic sheets laid out as Vietnamese offices publish them: nobody in them lives."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

import pytest

from catalog.guess.guess import NULL_WORDS
from catalog.guess.told import GuessReply
from catalog.guess.writing import manifest_text
from catalog.jailed import guessing
from catalog.pii.order import ScanOrder
from catalog.reading import Reading
from catalog.wire import IngestOrder
from tests.catalog.plain import descriptors, run_ingest
from tests.catalog.test_letters import as_tcvn3
from tests.catalog.workbooks import Cell, workbook

GROUPED: list[list[str]] = [
    ["UBND HUYỆN", "", "", "", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "", ""],
    ["DANH SÁCH GIẢ LẬP", "", "", "", "", "", ""],
    ["STT", "Mã hồ sơ", "Giấy phép", "", "", "Nơi ở", ""],
    ["", "", "Số", "Ngày cấp", "Hạng", "Xã", "Tỉnh"],
    ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)"],
]
NAMES = [
    "STT",
    "Mã hồ sơ",
    "Giấy phép – Số",
    "Giấy phép – Ngày cấp",
    "Giấy phép – Hạng",
    "Nơi ở – Xã",
    "Nơi ở – Tỉnh",
]
SIGNED: list[list[str]] = [
    ["", "Tổng số người: 40", "", "", "", "", ""],
    ["", "", "", "", "", "Đông Anh, ngày 05 tháng 01 năm 2024", ""],
    ["", "NGƯỜI LẬP BIỂU", "", "", "", "CHỦ TỊCH", ""],
    ["", "(Ký, ghi rõ họ tên)", "", "", "", "(Ký tên, đóng dấu)", ""],
    ["", "Hồ Văn Giả", "", "", "", "Xã A", ""],
]


def persons(count: int = 40) -> list[list[str]]:
    return [
        [f"{i + 1}", f"HS{i:04d}", f"79{i:010d}", f"{i % 28 + 1:02d}/02/2023", ["A1", "B2"][i % 2], "Xã A", "Huế"]
        for i in range(count)
    ]


def parts() -> list[list[str]]:
    """In two parts, each under its name and over its own sum."""
    rows: list[list[str]] = []
    for name, half in (("XÃ A", persons()[:20]), ("II. XÃ B", persons()[20:])):
        rows += [["", name, "", "", "", "", ""], *half, ["", f"Cộng {name.lower()}", "", "", "20", "", ""]]
    return rows


def csv(rows: Sequence[Sequence[str]], delimiter: str = ";") -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


def as_sheet(rows: Sequence[Sequence[str]], *merged: str) -> bytes:
    return workbook([[cell or None for cell in row] for row in rows], merged=merged)


def guessed(content: bytes, **reading: Any) -> GuessReply:
    order = IngestOrder(
        columns=(), null_words=NULL_WORDS, max_rows=10**6, max_bytes=10**8, max_row_group_bytes=10**8,
        scan=ScanOrder(year=2026), reading=Reading(**reading),
    )  # fmt: skip
    with descriptors(content) as files:
        return guessing.guess(order, files)


SHEETS = {
    "csv": csv([*GROUPED, *parts(), *SIGNED]).encode(),
    "utf-16": csv([*GROUPED, *parts(), *SIGNED], "\t").encode("utf-16"),
    "workbook": as_sheet([*GROUPED, *parts(), *SIGNED], "A1:D1", "C3:E3", "F3:G3", "A3:A4", "B3:B4"),
}


@pytest.mark.parametrize("content", SHEETS.values(), ids=SHEETS.keys())
def test_a_header_over_two_rows_is_joined_and_only_persons_are_records(content: bytes) -> None:
    reply = guessed(content)
    assert [column.name for column in reply.columns] == NAMES
    assert (reply.header_row, reply.header_rows, reply.rows - len(reply.total_rows)) == (4, 2, 40 - 10)
    assert "3–4" in manifest_text(reply, slug="test")
    columns = (("Mã hồ sơ", "VARCHAR"), ("Giấy phép – Hạng", "VARCHAR"), ("Nơi ở – Xã", "VARCHAR"))
    told, table = run_ingest(content, *columns, reading={"max_rejected_share": 0.5}, persons=True)
    assert table is not None
    assert (told.header_row, told.rejected) == (4, 10)
    assert table.to_pylist() == [
        dict(zip((c[0] for c in columns), (r[1], r[4], r[5]), strict=True)) for r in persons()
    ]


def test_without_leave_to_reject_the_lines_that_are_no_persons_are_named() -> None:
    reply, _ = run_ingest(SHEETS["csv"], ("Mã hồ sơ", "VARCHAR"), ("Nơi ở – Xã", "VARCHAR"), persons=True)
    assert reply.refusal is not None
    assert (reply.refusal.code, reply.refusal.params["lines"]) == (
        "ingest.total_row", "5, 6, 27, 28, 49, 50, 51, 52, 53, 54",
    )  # fmt: skip


def test_a_header_over_three_rows_is_joined_and_one_manifest_of_old_still_finds_its_columns() -> None:
    rows = [
        ["TT", "Mã số", "Thời gian", "", "", "", "Mức đóng", ""],
        ["", "", "Bắt buộc", "", "Tự nguyện", "", "Người", "Nơi làm"],
        ["", "", "Từ", "Đến", "Từ", "Đến", "(đồng)", "(đồng)"],
        *([f"{i}", f"B{i}", "01/2015", "12/2020", "", "", f"{i + 100}", "5"] for i in range(30)),
    ]
    names = [column.name for column in guessed(csv(rows).encode()).columns]
    assert names == [
        "TT", "Mã số", "Thời gian – Bắt buộc – Từ", "Thời gian – Bắt buộc – Đến", "Thời gian – Tự nguyện – Từ",
        "Thời gian – Tự nguyện – Đến", "Mức đóng – Người – (đồng)", "Mức đóng – Nơi làm – (đồng)",
    ]  # fmt: skip
    reply, table = run_ingest(csv(rows[2:]).replace(";;Từ", "TT;Mã;Từ", 1).encode(), ("Từ #3", "VARCHAR"))
    assert table is not None
    assert (reply.header_row, table.num_rows) == (1, 30)


PLAIN = {
    "a column without a name": [["mã", "", "giới", "nơi"], *([f"P{i}", "Huế", "Nam", "x"] for i in range(9))],
    "a first record of words": [["tên", "", "giới", "nơi"], *(["An", "Huế", "Nam", "x"] for _ in range(9))],
    "a first record with a blank": [
        ["tên", "", "tuổi", "nơi"],
        ["An", "Huế", "20", ""],
        *([*"abcd"] for _ in range(9)),
    ],
}


@pytest.mark.parametrize("rows", PLAIN.values(), ids=PLAIN.keys())
def test_a_first_record_is_not_taken_for_names(rows: list[list[str]]) -> None:
    assert [column.name for column in guessed(csv(rows).encode()).columns] == [rows[0][0], "#2", *rows[0][2:]]


def test_years_may_name_columns_and_signs_for_nothing_are_read_as_nothing() -> None:
    rows = [
        ["Biểu 12. Thu nhập (giả lập)", "", "", ""],
        ["STT", "Nơi", "Thu nhập", ""],
        ["", "", "2022", "Sơ bộ 2023"],
        *([f"{i}", f"Huyện {i}", f"{i % 7},5", ["-", "…", f"{i % 9},1"][i % 3]] for i in range(60)),
        ["Nguồn: số liệu giả lập", "", "", ""],
    ]
    reply = guessed(csv(rows).encode())
    assert [(c.name, c.type) for c in reply.columns[2:]] == [
        ("Thu nhập – 2022", "number"), ("Thu nhập – Sơ bộ 2023", "number"),
    ]  # fmt: skip
    assert (reply.rows, reply.total_rows, reply.null_words[-2:]) == (60, (64,), ("-", "…"))
    assert 'null_words: ["", "?", "NA", "N/A", "NULL", "null", "-", "…"]' in manifest_text(reply, slug="test")


def test_what_a_merged_cell_says_it_says_of_each_of_its_rows() -> None:
    rows: list[list[Cell]] = [[None], [None, "Danh sách giả lập"], [None, "Hộ", "STT", "Tuổi"]]
    rows += [[None, f"H{i // 2}" if i % 2 == 0 else None, i % 2 + 1, 20 + i] for i in range(40)]
    merged = ["B2:D2", *(f"B{4 + 2 * i}:B{5 + 2 * i}" for i in range(20))]
    _, table = run_ingest(workbook(rows, merged=merged), ("Hộ", "VARCHAR"), ("Tuổi", "BIGINT"))
    assert table is not None
    assert table.to_pylist() == [{"Hộ": f"H{i // 2}", "Tuổi": 20 + i} for i in range(40)]


def test_a_number_of_thousands_by_points_is_not_read_as_a_thousandth() -> None:
    dotted = "mã;người\n" + "".join(f"P{i};{i + 10}.{i:03d}\n" for i in range(40))
    reply, _ = run_ingest(dotted.encode(), ("người", "DOUBLE"))
    assert reply.refusal is not None
    assert reply.refusal.code == "ingest.decimal_unclear"
    assert [(c.role, c.reason) for c in guessed(dotted.encode()).columns[1:]] == [("drop", "decimal_unclear")]
    by_comma = guessed(dotted.encode(), decimal="comma").columns[1]
    assert by_comma.transform is not None
    assert list(by_comma.transform.bins or ()) == [23000, 36000]
    # Beside a column with decimal commas points can only group thousands.
    beside = "mã;người;tỷ lệ\n" + "".join(f"P{i};{i + 10}.{i:03d};{i},5\n" for i in range(40))
    told = guessed(beside.encode())
    assert (told.decimal, told.columns[1].transform) == ("comma", by_comma.transform)


def test_numbers_that_a_file_holds_as_numbers_are_no_question() -> None:
    values = [1.234, 5.678, 9.125]
    rows: list[list[str | float]] = [[f"P{i}", value] for i, value in enumerate(values)]
    sheet = workbook([["mã", "x"], *rows])
    lines = "".join(f'{{"mã": "P", "x": {value!r}}}\n' for value in values).encode()
    for content in (sheet, lines):
        for decimal in (None, "comma", "point"):
            reading = {"decimal": decimal} if decimal else {}
            _, table = run_ingest(content, ("x", "DOUBLE"), reading=reading)
            assert table is not None
            assert table.column("x").to_pylist() == values


def test_amounts_with_their_currency_are_numbers() -> None:
    _, table = run_ingest(
        "x\n1.200.000 đ\n950.000 đồng\n70.000VND\n".encode(), ("x", "BIGINT"), reading={"decimal": "comma"}
    )
    assert table is not None
    assert table.column("x").to_pylist() == [1_200_000, 950_000, 70_000]


def test_a_list_in_an_old_font_with_its_footer_is_read() -> None:
    rows = [["STT", "Họ tên", "Điểm", "", "Nơi ở"], ["", "", "HK một", "HK hai", ""]]
    rows += [[f"{i}", "Nguyễn Thị Hương", f"{i % 9},5", "7,0", "quận Bình Thạnh"] for i in range(30)]
    rows += [["", "Danh sách có 30 học sinh", "", "", ""], ["hiệu trưởng", "", "", "", ""]]
    text = "".join(c if c.isascii() else as_tcvn3(c.lower()) for c in csv(rows))
    reply = guessed(text.encode(codecs.lookup("latin-1").name))
    assert (reply.encoding, reply.rows, reply.total_rows) == ("tcvn3", 30, (33, 34))
    assert [c.name for c in reply.columns][2:4] == ["điểm – HK một", "điểm – HK hai"]
