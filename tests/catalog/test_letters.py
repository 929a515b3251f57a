"""Encodings before Unicode, numbers and days as they are written in Viet Nam, and names that mean harm."""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.jailed.instants import instant
from catalog.jailed.numbers import Style
from catalog.jailed.old_letters import _TCVN3, _VNI, CONVERT, old_letters
from tests.catalog.plain import run_ingest
from tests.catalog.test_ingest import TWO, refusal
from tests.catalog.workbooks import Cell, workbook

PROSE = (
    "tên,tuổi\nCộng hoà xã hội chủ nghĩa Việt Nam,1\nĐộc lập tự do hạnh phúc,2\n"
    "Nguyễn Thị Hương quận Bình Thạnh,3\nHuỳnh Kỳ khuya nghiêng rượu giường quyển sách,4\n"
)
_TO_TCVN3 = {new: chr(old) for old, new in ((o, chr(n)) for o, n in _TCVN3.items())}
_TO_VNI: dict[str, str] = {}
for _old, _new in _VNI.items():
    _TO_VNI.setdefault(_new, _old)


def as_tcvn3(text: str) -> str:
    return "".join(_TO_TCVN3.get(c, c) for c in text)


def as_vni(text: str) -> str:
    return "".join(_TO_VNI.get(c, c) for c in text)


def as_windows(text: str) -> bytes:
    """Marks of tone apart, as its keyboard writes them."""
    parts = []
    for letter in text:
        try:
            parts.append(letter.encode("cp1258"))
        except UnicodeEncodeError:
            apart = unicodedata.normalize("NFD", letter)
            tones = [c for c in apart if c in "\u0300\u0301\u0303\u0309\u0323"]
            base = unicodedata.normalize("NFC", "".join(c for c in apart if c not in tones))
            parts.append((base + "".join(tones)).encode("cp1258"))
    return b"".join(parts)


WRITTEN: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "cp1258": as_windows,
    "tcvn3": lambda text: as_tcvn3(text).encode("latin-1"),
    "vni": lambda text: as_vni(text).encode("latin-1"),
    "utf-8+tcvn3": lambda text: as_tcvn3(text).encode(),
    "utf-8+vni": lambda text: as_vni(text).encode("utf-8-sig"),
}


@pytest.mark.parametrize(("name", "write"), WRITTEN.items(), ids=WRITTEN)
def test_vietnamese_is_read_the_same_in_every_encoding(name: str, write: Callable[[str], bytes]) -> None:
    reply, table = run_ingest(write(PROSE), *TWO)
    assert reply.refusal is None
    assert reply.encoding == name
    assert table is not None
    assert table.column("tên").to_pylist() == [line.split(",")[0] for line in PROSE.splitlines()[1:]]


def test_letters_far_into_a_plain_file_still_tell_its_encoding() -> None:
    content = "tên,tuổi\n".replace("ê", "e").replace("ổ", "o") + "a,1\n" * 400_000
    rows = as_tcvn3("Nguyễn Thị Hương quận Bình Thạnh,3\n") * 3
    reply, table = run_ingest(content.encode() + rows.encode("latin-1"), ("ten", "VARCHAR"), ("tuoi", "BIGINT"))
    assert reply.encoding == "tcvn3"
    assert table is not None
    assert table.column("ten")[-1].as_py() == "Nguyễn Thị Hương quận Bình Thạnh"


def test_what_is_no_vietnamese_is_not_changed() -> None:
    for text in ("Café Société générale à Besançon", "Müller Straße Köln", "Hà Lý Tú", "naïve", "plain"):
        assert old_letters(text) == ""


@given(st.text("".join(_TO_TCVN3), max_size=20))
def test_old_letters_are_turned_into_the_ones_they_were_made_of(text: str) -> None:
    assert CONVERT["tcvn3"](as_tcvn3(text)) == text


@given(st.lists(st.sampled_from(sorted(_TO_VNI)), max_size=12))
def test_vni_letters_too_where_no_mark_stands_alone(letters: list[str]) -> None:
    text = "n".join(letters)
    assert CONVERT["vni"](as_vni(text)) == text


def test_mixed_encodings_are_named_by_line() -> None:
    lines = [line.encode() for line in PROSE.splitlines(keepends=True)]
    lines[2] = as_tcvn3("Độc lập tự do,2\n").encode("latin-1")
    lines[4] = as_windows("Huỳnh Kỳ,4\n")
    code, params = refusal(b"".join(lines))
    assert (code, params) == ("ingest.encoding_mixed", {"count": 2, "lines": "3, 5"})


def test_an_encoding_that_nobody_knows_is_told_with_what_to_do() -> None:
    french = "tên,tuổi\n".replace("ê", "e").replace("ổ", "o") + "Société générale,1\nthéâtre,2\nœuvre,3\n"
    columns = (("ten", "VARCHAR"), ("tuoi", "BIGINT"))
    assert refusal(french.encode("cp1252"), *columns)[0] == "ingest.encoding_unknown"
    _, table = run_ingest(french.encode("cp1252"), *columns, reading={"encoding": "windows-1252"})
    assert table is not None
    assert table.column("ten").to_pylist() == ["Société générale", "théâtre", "œuvre"]


SPOILT = PROSE * 3
LOST = "".join("?" if "\u1ea0" <= c <= "\u1ef9" else c for c in SPOILT)
_BYTES = "".join(bytes([b]).decode("cp1252", "replace") for b in SPOILT.encode())
WRECKS = {
    "saved in Windows-1252": (SPOILT.encode("cp1252", "replace"), "ingest.letters_lost"),
    "with ? for letters, in UTF-8": (LOST.encode(), "ingest.letters_lost"),
    "with replacement signs": (LOST.replace("?", "\ufffd").encode(), "ingest.letters_lost"),
    "in UTF-16": (LOST.encode("utf-16"), "ingest.letters_lost"),
    "UTF-8 taken for Windows-1252": (_BYTES.replace("\ufffd", "").encode(), "ingest.letters_twice"),
}
SOUND = {
    "questions": "tên,tuổi\n" + "Ai đó? Không.,1\nĐâu?,2\n" * 9,
    "addresses of the web": "tên,tuổi\n" + "https://a.vn/x?q=tìm&l=vi,1\n" * 9,
    "French": "tên,tuổi\n" + "Âge d'été à Nîmes,1\n" * 9,
}


@pytest.mark.parametrize(("content", "code"), WRECKS.values(), ids=WRECKS)
def test_letters_that_a_program_has_spoilt_are_told_and_not_taken_for_others(content: bytes, code: str) -> None:
    assert refusal(content)[0] == code


def test_spoilt_letters_are_told_in_a_workbook_too() -> None:
    rows: list[list[Cell]] = [[line, 1] for line in LOST.splitlines()]
    assert refusal(workbook([["tên", "tuổi"], *rows]))[0] == "ingest.letters_lost"


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_a_question_is_no_lost_letter(text: str) -> None:
    assert run_ingest(text.encode(), *TWO)[0].refusal is None


def test_a_zero_byte_is_named_by_its_line() -> None:
    for content in (b"t\xc3\xaan,tu\xe1\xbb\x95i\na,1\nb\0,2\n" + b"c,3\n" * 30,):
        assert refusal(content) == ("ingest.nul_bytes", {"line": 3})
    late = PROSE.encode() + b"a,1\n" * 400_000 + b"b\0,2\n"
    assert refusal(late, max_rows=10**6) == ("ingest.nul_bytes", {"line": 400_006})


NUMBERS = {
    "1,5": 1.5, "0,125": 0.125, "-1.234,5": -1234.5, "1.234.567": 1234567.0, "1,234.5": 1234.5, "2e3": 2000.0,
    "1,234,567": 1234567.0, "1.2.3": None, "12.34,5": None, "1 000": None, "nan": None, "inf": None, "": None,
    "1e999": None, "٣": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_a_number_alone_is_read_by_its_marks(text: str, value: float | None) -> None:
    if text == "٣":
        assert Style(None).number(text) in (None, 3.0)
        return
    assert Style(None).number(text) == value


def cells(*texts: str, kind: str = "DOUBLE", **reading: object) -> list[object] | str:
    """What a column of these cells is read as, or the code of its refusal."""
    body = "".join(f'"{text}"\n' for text in texts)
    reply, table = run_ingest(f"x\n{body}".encode(), ("x", kind), reading=reading)
    if reply.refusal is not None:
        return reply.refusal.code
    assert table is not None
    found: list[object] = table.column("x").to_pylist()
    return found


def test_decimal_commas_are_understood_where_the_column_leaves_no_doubt() -> None:
    assert cells("1,5", "1,234", "7") == [1.5, 1.234, 7.0]
    assert cells("1.234,5", "1,234") == [1234.5, 1.234]
    assert cells("1,234", "2,500") == "ingest.decimal_unclear"
    assert cells("1,5", "1.5") == "ingest.decimal_unclear"
    assert cells("1,5", "1.234") == "ingest.decimal_unclear"


def test_a_declared_mark_says_what_a_number_means() -> None:
    assert cells("1,234", "1.234", "5", decimal="comma") == [1.234, 1234.0, 5.0]
    assert cells("1,234", "1.234", "5", decimal="point") == [1234.0, 1.234, 5.0]
    assert cells("1.234", "12.345.678", kind="BIGINT", decimal="comma") == [1234, 12345678]
    assert cells("1,5", decimal="point") == "ingest.wrong_type"
    assert cells("1.5", decimal="comma") == "ingest.wrong_type"


def test_numbers_beyond_their_type_and_years_that_never_were_are_rejected() -> None:
    assert cells("9223372036854775808", kind="BIGINT") == "ingest.wrong_type"
    assert cells("1.5", kind="BIGINT") == "ingest.wrong_type"
    for day in ("0000-01-01", "01/01/0000", "31/02/2020", "2020-13-01", "12/31/2020"):
        assert cells(day, kind="DATE") == "ingest.wrong_type"
        assert cells(day, kind="TIMESTAMP") == "ingest.wrong_type"


DAYS = {
    "5/3/2020": "2020-03-05", "05-03-2020": "2020-03-05", "5.3.2020": "2020-03-05", "2020-03-05": "2020-03-05",
    "ngày 5 tháng 3 năm 2020": "2020-03-05", "Ngày 05 tháng 03, năm 2020": "2020-03-05",
    "5 tháng ba năm 2020": "2020-03-05", "1 tháng Giêng 1975": "1975-01-01", "2 tháng chạp năm 1999": "1999-12-02",
    "5/3/2020 14:30": "2020-03-05", "5/3-2020": None, "5/3/20": None, "ngày 31 tháng 4 năm 2020": None,
    "5 tháng 13 năm 2020": None, "năm 2020": None, "5/3/2020 25:00": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_days_as_they_are_written_in_viet_nam(text: str, day: str | None) -> None:
    found = instant(text, None, date=True)
    assert (None if found is None else found.isoformat()) == day


def test_a_year_of_two_digits_means_what_is_declared_and_nothing_else() -> None:
    assert cells("5/3/20", kind="DATE") == "ingest.wrong_type"
    read = cells("5/3/20", "5/3/75", "5/3/2020", kind="DATE", century_from=1930)
    assert list(map(str, read)) == ["2020-03-05", "1975-03-05", "2020-03-05"]
    assert str(instant("050375", "%d%m%y", date=True, century_from=1930)) == "1975-03-05"
    assert instant("050375", "%d%m%y", date=True) is None


HOSTILE_NAMES = {
    "HTML": "<script>alert(1)</script>", "a formula": '=cmd|"/c calc"!A1', "a turn of direction": "\u202etuổi",
    "SQL": '"; drop table persons; --', "a line break": "a\nb", "a hidden letter": "tu\u200bổi",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES.keys())
def test_a_columns_name_is_only_a_name(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    _, table = run_ingest(f"{quoted},tuổi\na,1\n".encode(), (name, "VARCHAR"), ("tuổi", "BIGINT"))
    assert table is not None
    assert table.to_pylist() == [{name: "a", "tuổi": 1}]
    code, params = refusal(f"{quoted},tuổi,{quoted}\na,1,b\n".encode(), (name, "VARCHAR"))
    assert code == "ingest.columns_twice"
    assert all(c.isprintable() for c in params["columns"])


def test_columns_without_a_name_are_not_read_and_do_no_harm() -> None:
    _, table = run_ingest(",tên,,tuổi,\n9,a,x,1,\n".encode(), *TWO)
    assert table is not None
    assert table.to_pylist() == [{"tên": "a", "tuổi": 1}]


def test_two_of_ten_thousand_columns_are_read() -> None:
    header = ",".join(["tên", *(f"c{i}" for i in range(9_998)), "tuổi"])
    row = ",".join(["a", *("x" for _ in range(9_998)), "1"])
    _, table = run_ingest(f"{header}\n{row}\n{row}\n".encode(codecs.lookup("utf-8").name), *TWO)
    assert table is not None
    assert table.to_pylist() == [{"tên": "a", "tuổi": 1}] * 2


def test_rejected_rows_are_left_out_where_the_owner_allows_it_and_numbers_of_rows_stay_true() -> None:
    rows = [f"n{i},{i}" for i in range(100)]
    rows[3], rows[10], rows[40] = "n3,x,1", "n10,old", "n40,"
    reply, table = run_ingest(
        ("tên,tuổi\n" + "\n".join(rows)).encode(), *TWO, reading={"max_rejected_share": 0.02}
    )
    assert reply.refusal is None
    assert (reply.rows, reply.rejected) == (98, 2)
    assert table is not None
    assert table.column("tên").to_pylist() == [f"n{i}" for i in range(100) if i not in (3, 10)]
    code, params = refusal(("tên,tuổi\n" + "\n".join(rows)).encode(), *TWO, reading={"max_rejected_share": 0.01})
    assert code == "ingest.too_many_rejected"
    assert params["columns"] == "tuổi (BIGINT): 1 — 12;  (): 1 — 5"


@pytest.mark.parametrize("text", ["0098-01-02", "01/02/0098", "ngày 1 tháng 2 năm 0198", "0098-01-02T03:04:05"])
def test_a_year_with_a_slip_of_the_key_is_none(text: str) -> None:
    assert instant(text, None, date=True) is None
    assert cells(text, "1998-01-02", kind="DATE") == "ingest.wrong_type"
