"""Reading owners' files: what is understood, and what is refused without showing a cell."""

from __future__ import annotations

import csv
import gzip
import io
import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.catalog.plain import run_ingest
from tests.work import at_most

MOST_CALLS = 20_000_000
"""Ten for each column of the longest header here."""
TWO = (("tên", "VARCHAR"), ("tuổi", "BIGINT"))
TEXT = 'tên,tuổi\n Nguyễn Văn Ả , 20\n"Lê, Thị",?\nĐỗ,\n'
ROWS = [{"tên": "Nguyễn Văn Ả", "tuổi": 20}, {"tên": "Lê, Thị", "tuổi": None}, {"tên": "Đỗ", "tuổi": None}]


def refusal(content: bytes, *columns: tuple[str, str], **bounds: Any) -> tuple[str, dict[str, Any]]:
    reply, _ = run_ingest(content, *(columns or TWO), **bounds)
    assert reply.refusal is not None
    assert "Nguyễn" not in str(reply.refusal.params)
    return reply.refusal.code, reply.refusal.params


def as_cp1258(text: str) -> bytes:
    """As Windows writes it: tone marks apart."""
    pairs = {"ễ": "ê\u0303", "Ả": "A\u0309", "ị": "i\u0323", "ỗ": "ô\u0303", "ổ": "ô\u0309"}
    return "".join(pairs.get(c, c) for c in text).encode("cp1258")


ENCODED = {
    "utf-8": TEXT.encode(),
    "utf-8 with mark": TEXT.encode("utf-8-sig"),
    "utf-16 with mark": TEXT.encode("utf-16"),
    "windows-1258": as_cp1258(TEXT),
    "gzip": gzip.compress(TEXT.encode()),
    "semicolons": TEXT.replace('"Lê, Thị"', "Lê§ Thị").replace(",", ";").replace("§", ",").encode(),
    "tabs": TEXT.replace('"Lê, Thị"', "Lê§ Thị").replace(",", "\t").replace("§", ",").encode(),
    "windows lines": TEXT.replace("\n", "\r\n").encode(),
    "titles over the header": ("DANH SÁCH NĂM 2025,\n\n(tính đến 30/9),\n" + TEXT).encode(),
    "titles of one cell, windows lines": ("SỞ Y TẾ\n\n" + TEXT).replace("\n", "\r\n").encode("utf-16"),
    "blanks in the header": TEXT.replace("tên,tuổi", " tên , tuổi ").encode(),
}


@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED.keys())
def test_encoding_delimiter_blanks_and_null_words_are_understood(content: bytes) -> None:
    reply, table = run_ingest(content, *TWO)
    assert reply.refusal is None
    assert table is not None
    assert table.to_pylist() == ROWS


def test_decomposed_letters_are_composed_so_that_equal_words_are_equal() -> None:
    _, table = run_ingest("tên,tuổi\nHuế,1\nHue\u0302\u0301,2\n".encode(), *TWO)
    assert table is not None
    assert len(set(table.column("tên").to_pylist())) == 1


def test_every_type_is_read_and_vietnamese_dates_too() -> None:
    columns = (("n", "BIGINT"), ("x", "DOUBLE"), ("b", "BOOLEAN"), ("d", "DATE"), ("t", "TIMESTAMP"))
    _, table = run_ingest(
        b"n,x,b,d,t\n7,1.5,c\xc3\xb3,31/12/2025,2025-01-02T03:04:05\n-8.0,2e3,no,2024-02-29,2025-01-02\n", *columns
    )
    assert table is not None
    assert [str(v) for v in table.to_pylist()[0].values()] == [
        "7",
        "1.5",
        "True",
        "2025-12-31",
        "2025-01-02 03:04:05",
    ]
    assert [str(v) for v in table.to_pylist()[1].values()] == [
        "-8",
        "2000.0",
        "False",
        "2024-02-29",
        "2025-01-02 00:00:00",
    ]


def test_cells_of_the_wrong_type_are_counted_for_all_columns_with_lines_and_never_shown() -> None:
    code, params = refusal(
        b"t\xc3\xaan,tu\xe1\xbb\x95i,x\na,Nguy\xe1\xbb\x85n,1\nb,2,bad\nc,3.5,4\n", *TWO, ("x", "DOUBLE")
    )
    assert code == "ingest.wrong_type"
    assert params["cells"] == 3
    assert "tuổi (BIGINT): 2 — 2, 4" in params["columns"]
    assert "x (DOUBLE): 1 — 3" in params["columns"]
    assert "bad" not in str(params)


def test_ragged_rows_are_counted_with_their_lines() -> None:
    rows = ["tên,tuổi", *("a,1" for _ in range(100))]
    rows[10], rows[50] = "a,1,Nguyễn", "Nguyễn"
    code, params = refusal("\n".join(rows).encode())
    assert (code, params["rows"], params["expected"]) == ("ingest.ragged", 2, 2)
    assert params["lines"] == "11, 51"


SHEET = (
    'SỞ Y TẾ;;\n\n"Số\nthứ tự";tên;tuổi;nơi\nA;B;1;2\n1;a;20;x\n2;b;x;\n;Cộng quận 1:;20;\n3;c;30;9;\n4;d;40;\n'
    "TỔNG  CỘNG (4 người);;90;\n;Hà Nội, ngày 30 tháng 9 năm 2026;;\n" + "5;e;50;\n" * 10
)


def test_under_titles_rows_keep_their_numbers_and_what_sums_up_is_no_record() -> None:
    columns = (("tên", "VARCHAR"), ("tuổi", "VARCHAR"))
    assert refusal(SHEET.encode(), *columns, persons=True) == ("ingest.total_row", {"lines": "4, 7, 10, 11"})
    reply, table = run_ingest(SHEET.encode(), *TWO, reading={"max_rejected_share": 0.5}, persons=True)
    assert table is not None
    assert (reply.header_row, reply.rejected) == (3, 6)
    assert table.column("tên").to_pylist() == ["a", "d", *"e" * 10]
    code, params = refusal(SHEET.encode(), *TWO, reading={"max_rejected_share": 0.1}, persons=True)
    assert code == "ingest.too_many_rejected"
    assert params["columns"] == " (): 4 — 4, 7, 10, 11; tuổi (BIGINT): 1 — 6;  (): 1 — 8"


def test_of_columns_with_one_name_each_is_called_by_its_place() -> None:
    content = "Ngày,tên,Ngày\n1,a,2\n".encode()
    code, params = refusal(content, ("Ngày", "VARCHAR"))
    assert (code, params["columns"]) == ("ingest.columns_twice", "Ngày #1, Ngày #3")
    _, table = run_ingest(content, ("Ngày #3", "VARCHAR"), ("tên", "VARCHAR"))
    assert table is not None
    assert table.to_pylist() == [{"Ngày #3": "2", "tên": "a"}]


def test_absent_and_doubled_columns_are_all_named() -> None:
    code, params = refusal(b"a,b\n1,2\n")
    assert (code, params["names"]) == ("ingest.columns_absent", ["tên", "tuổi"])
    assert refusal("tên,tuổi,tên\n1,2,3\n".encode())[0] == "ingest.columns_twice"


BROKEN = {
    "nothing": (b"", "ingest.empty"),
    "blanks": (b"  \n \n", "ingest.empty"),
    "a header that no line ends": ("tên,tuổi".encode(), "ingest.no_rows"),
    "a page called a workbook": (b"\xef\xbb\xbf\r\n<html><table><tr></tr></table></html>", "ingest.web_page"),
    "a header only": (b"t\xc3\xaan,tu\xe1\xbb\x95i\n", "ingest.no_rows"),
    "an archive without a directory": (b"PK\x03\x04" + b"\0" * 100, "ingest.archive_broken"),
    "binary": (bytes(range(256)) * 40, "ingest.not_text"),
    "gzip cut off": (gzip.compress(TEXT.encode() * 5000)[:-30], "ingest.gzip_broken"),
    "gzip of rubbish": (b"\x1f\x8b" + b"rubbish" * 20, "ingest.gzip_broken"),
    "bytes that are not UTF-8 far into the file": (
        ("tên,tuổi\n" + "a,1\n" * 600_000).encode() + b"\xff\xfe,1\n", "ingest.encoding_mixed",
    ),
    "a quote that never closes": (('tên,tuổi\na,1\n"b,2\n' + "c,3\n" * 5_000_000).encode(), "ingest.row_too_long"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_files_are_refused_with_a_plain_reason(content: bytes, code: str) -> None:
    assert refusal(content, max_rows=10_000_000)[0] == code


def test_a_gzip_bomb_stops_at_the_bound() -> None:
    bomb = gzip.compress("tên,tuổi\n".encode() + b"a,1\n" * 5_000_000, 9)
    assert len(bomb) < 100_000
    code, params = refusal(bomb, max_bytes=1_000_000, max_rows=10_000_000)
    assert (code, params["max_bytes"]) == ("ingest.too_large", 1_000_000)


def test_too_many_rows_are_refused() -> None:
    assert refusal("tên,tuổi\n".encode() + b"a,1\n" * 1001, max_rows=1000)[0] == "ingest.too_many_rows"


def parquet_file(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


def test_parquet_gives_the_same_as_csv() -> None:
    table = pa.table(
        {"tuổi": pa.array([20.0, None, None]), "tên": ["Nguyễn Văn Ả", "Lê, Thị", "Đỗ"], "other": [1, 2, 3]}
    )
    _, read = run_ingest(parquet_file(table), *TWO)
    assert read is not None
    assert read.to_pylist() == ROWS


def test_a_parquet_bomb_is_refused_from_its_footer() -> None:
    """4 million equal numbers take a few KB and unfold to 32 MB."""
    bomb = parquet_file(
        pa.table({"tên": np.zeros(4_000_000), "tuổi": np.zeros(4_000_000)}),
        use_dictionary=False,
        compression="zstd",
    )
    assert len(bomb) < 100_000
    assert refusal(bomb, max_bytes=1_000_000, max_rows=10_000_000)[0] == "ingest.too_large"
    assert refusal(bomb, max_row_group_bytes=1_000_000, max_rows=10_000_000, max_bytes=10**9)[0] == (
        "ingest.row_group_too_large"
    )
    assert refusal(bomb)[0] == "ingest.too_many_rows"


def test_broken_and_nested_parquet_is_refused() -> None:
    good = parquet_file(pa.table({"tên": ["a"] * 1000, "tuổi": list(range(1000))}))
    assert refusal(good[:-20])[0] == "ingest.parquet_broken"
    assert refusal(good[:4] + bytes(len(good) - 200) + good[-196:])[0] == "ingest.parquet_broken"
    assert refusal(parquet_file(pa.table({"tên": [["a"]], "tuổi": [1]})))[0] == "ingest.parquet_nested"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=12), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=30))
def test_any_text_and_number_survives_csv_but_for_blanks_and_control_characters(
    rows: list[tuple[str, int]],
) -> None:
    kept = [(t.encode("utf-8", "ignore").decode().replace("\0", ""), n) for t, n in rows]
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows([("tên", "tuổi"), *kept])
    reply, table = run_ingest(sink.getvalue().encode(), *TWO)
    assert reply.refusal is None
    assert table is not None

    def tidy(text: str) -> str | None:
        whole = "".join(c for c in unicodedata.normalize("NFC", text).strip() if ord(c) >= 32)
        return whole if whole and unicodedata.normalize("NFC", text).strip() not in ("", "?", "NA") else None

    expected = [(tidy(t), n) for t, n in kept]
    assert [(r["tên"] or None, r["tuổi"]) for r in table.to_pylist()] == expected


HOSTILE = {
    "a field of twelve megabytes": ("tên,tuổi\n".encode() + b"x" * 12_000_000 + b",1\n", "ingest.wrong_type"),
    "a line of twenty-four megabytes": ("tên,tuổi\n".encode() + b"x" * 24_000_000, "ingest.row_too_long"),
    "a quote that never ends": ('tên,tuổi\n"'.encode() + b"x\n" * 5_000_000, "ingest.ragged"),
    "a header without end": (b"," * 2_000_000, "ingest.columns_absent"),
    "nothing but zeros": (b"\0" * 100_000, "ingest.not_text"),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbft\xc3\xaan,x\na,1\n", "ingest.columns_absent"),
}


@pytest.mark.parametrize(("content", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused_and_soon(content: bytes, code: str) -> None:
    with at_most(MOST_CALLS):
        assert refusal(content)[0] == code


def test_a_hundred_thousand_columns_cost_no_more_than_reading_them() -> None:
    header = ",".join(["tên", "tuổi", *(f"c{i}" for i in range(100_000)), "tên"])
    with at_most(MOST_CALLS):
        assert refusal(f"{header}\na,1\n".encode())[0] == "ingest.columns_twice"


def test_letters_that_turn_the_reading_direction_or_hide_only_make_another_value() -> None:
    _, table = run_ingest("tên,tuổi\nHuế,1\n\u202eHuế,2\nH\u200buế,3\n\x01?\x02,4\n".encode(), *TWO)
    assert table is not None
    assert table.column("tên").to_pylist() == ["Huế", "\u202eHuế", "H\u200buế", "?"]
