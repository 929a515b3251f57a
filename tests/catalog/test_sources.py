"""Kinds of files beside CSV, and folders and archives of them: the same table comes out of each."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from catalog.errors import PublicationRefused
from catalog.intake import opened
from catalog.publish import publish
from catalog.storage import Store
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.other_workbooks import Rows, ods, xls, xlsb, zip_with_members
from tests.catalog.plain import in_process, run_ingest
from tests.catalog.small import HEADER, MANIFEST, people, publish_rows, write
from tests.catalog.test_ingest import ROWS, TEXT, TWO, parquet_file, refusal
from tests.catalog.workbooks import Cell, workbook

NDJSON = (
    '{"tên": " Nguyễn Văn Ả", "tuổi": 20, "other": {"a": [1]}}\n\n'
    '{"tuổi": null, "tên": "Lê, Thị"}\n'
    '{"tên": "\\u0110\\u1ed7"}'
)
CELLS: list[list[Cell]] = [
    ["tên", "tuổi", "day"],
    [" Nguyễn Văn Ả ", 20, None],
    ["Lê, Thị", None, None],
    ["Đỗ", "", None],
]


def zipped(**files: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return sink.getvalue()


def tarred(**files: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return sink.getvalue()


def part(begin: int, end: int) -> bytes:
    rows = ROWS[begin:end]
    return parquet_file(pa.Table.from_pylist(rows))


LINES = TEXT.encode().splitlines(keepends=True)
PARTS = {"part-1__parquet": part(1, 3), "part-0__parquet": part(0, 1), "_SUCCESS": b"", "__part__crc": b"\0crc"}
SAME = {
    "ndjson": NDJSON.encode(),
    "ndjson in gzip": gzip.compress(NDJSON.encode()),
    "ndjson in utf-16": NDJSON.encode("utf-16"),
    "a workbook": workbook(CELLS),
    "a workbook whose table begins further down": workbook([[], [], *([None, *row] for row in CELLS)]),
    "a workbook with titles over its header": workbook(
        [["DANH SÁCH NĂM 2025"], [], ["Cá nhân", None, "Khác"], *CELLS]
    ),
    "parquet with large texts": parquet_file(
        pa.table({"tên": pa.array(["Nguyễn Văn Ả", "Lê, Thị", "Đỗ"], pa.large_string()), "tuổi": [20, None, None]})
    ),
    "a zip of parquet": zipped(**PARTS),
    "a tar of parquet": tarred(**PARTS),
    "a zip of csv and ndjson": zipped(
        a__csv=b"".join(LINES[:2]), b__ndjson="\n".join(NDJSON.split("\n")[2:]).encode()
    ),
    "a zip of parts that are all called txt": zipped(
        a__txt=b"".join(LINES[:2]), b__txt=LINES[0] + b"".join(LINES[2:])
    ),
}


@pytest.mark.parametrize("content", SAME.values(), ids=SAME.keys())
def test_every_kind_of_file_gives_the_same_table(content: bytes) -> None:
    reply, table = run_ingest(content, *TWO)
    assert reply.refusal is None
    assert table is not None
    assert table.to_pylist() == ROWS


def test_a_workbooks_days_numbers_and_truths_are_read_as_what_they_are() -> None:
    cells: list[list[Cell]] = [
        ["d", "t", "x", "n", "b"],
        [datetime.date(2025, 12, 31), datetime.datetime(2025, 1, 2, 3, 4, 5), 1.5, 7, True],
        ["31/12/2025", "2025-01-02", "2e3", "-8.0", "không"],
    ]
    kinds = (("d", "DATE"), ("t", "TIMESTAMP"), ("x", "DOUBLE"), ("n", "BIGINT"), ("b", "BOOLEAN"))
    reply, table = run_ingest(workbook(cells), *kinds)
    assert reply.refusal is None
    assert table is not None
    first, second = (list(map(str, row.values())) for row in table.to_pylist())
    assert first == ["2025-12-31", "2025-01-02 03:04:05", "1.5", "7", "True"]
    assert second == ["2025-12-31", "2025-01-02 00:00:00", "2000.0", "-8", "False"]


def test_of_several_sheets_one_is_named() -> None:
    two = workbook(CELLS, [["x"], [1]])
    code, params = refusal(two)
    assert (code, params["sheets"]) == ("ingest.several_sheets", "s1, s2")
    assert run_ingest(two, *TWO, reading={"sheet": "s1"})[0].rows == 3
    assert refusal(two, reading={"sheet": "s3"})[0] == "ingest.sheet_absent"


def test_a_hidden_sheet_is_read_only_if_it_is_named() -> None:
    two = workbook([["x"], [1]], CELLS, hidden=[1])
    assert run_ingest(two, *TWO)[0].rows == 3
    assert run_ingest(two, ("x", "BIGINT"), reading={"sheet": "s1"})[0].rows == 1
    assert run_ingest(workbook(CELLS, hidden=[1]), *TWO)[0].rows == 3


def test_a_number_among_a_workbooks_days_is_the_day_that_it_counts() -> None:
    day = datetime.date(1990, 5, 17)
    rows: list[list[Cell]] = [
        ["born", "n"],
        [day, 32_976],
        [day, 33_010],
        [33_010, 3],
        ["18/05/1990", 1],
        [1990, 2],
    ]
    kinds = ("born", "VARCHAR"), ("n", "BIGINT")
    _, table = run_ingest(workbook(rows), *kinds)
    assert table is not None
    assert table["born"].to_pylist() == ["1990-05-17", "1990-05-17", "1990-05-17", "18/05/1990", "1990"]
    assert table["n"].to_pylist() == [32_976, 33_010, 3, 1, 2]
    # Where days are counted from 1904 the number would be another day: it stays one, for its owner to see.
    _, table = run_ingest(workbook(rows, mac=True), *kinds)
    assert table is not None
    assert table["born"].to_pylist()[2] == "33010"


BROKEN = {
    "a workbook cut off": (workbook(CELLS)[:-40], "ingest.archive_broken"),
    "an old workbook of nothing": (b"\xd0\xcf\x11\xe0" + bytes(600), "ingest.workbook_broken"),
    "a workbook whose sheet is no XML": (
        workbook(CELLS, sheet_xml=b"<worksheet><sheetData><row r='1'><c"), "ingest.workbook_broken",
    ),
    "an empty workbook": (workbook([]), "ingest.empty"),
    "an empty archive": (zipped(_SUCCESS=b""), "ingest.empty"),
    "a note beside the parts": (
        zipped(b__csv=TEXT.encode(), GHI_CHU__txt="Bảng năm 2025".encode()), "ingest.archive_note",
    ),
    "an archive in an archive": (zipped(a__zip=zipped(b__csv=b"x\n1\n")), "ingest.workbook_broken"),
    "a tar in gzip": (gzip.compress(tarred(**PARTS)), "ingest.tar_packed"),
    "one array of JSON": (json.dumps([{"tên": "a", "tuổi": 1}]).encode(), "ingest.not_ndjson"),
    "a nested field": ('{"tên": ["Nguyễn"], "tuổi": 1}\n'.encode(), "ingest.json_nested"),
    "no such field": ('{"tên": "a"}\n'.encode(), "ingest.columns_absent"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_files_of_every_kind_are_refused_with_a_plain_reason(content: bytes, code: str) -> None:
    assert refusal(content)[0] == code


BOMBS = {
    "a zip": zipped(a__csv="tên,tuổi\n".encode() + b"a,1\n" * 1_000_000),
    "a workbook": workbook(CELLS, more={"xl/media/image1.png": bytes(4_000_000)}),
    "a zip of parquet": zipped(a__parquet=b"PAR1" + bytes(4_000_000)),
    "gzipped ndjson": gzip.compress(b'{"t\xc3\xaan": "a", "tu\xe1\xbb\x95i": 1}\n' * 200_000),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_what_unfolds_beyond_the_bound_is_refused(bomb: bytes) -> None:
    assert len(bomb) < 100_000
    code, params = refusal(bomb, max_bytes=1_000_000, max_rows=10_000_000)
    assert (code, params["max_bytes"]) == ("ingest.too_large", 1_000_000)


def test_a_zip_that_lies_about_its_sizes_gives_no_more_than_it_says() -> None:
    told, real = b"x" * 16, b"t\xc3\xaan,tu\xe1\xbb\x95i\n" + b"a,1\n" * 100_000
    bomb = zipped(a__csv=real)
    size = len(real).to_bytes(4, "little")
    assert bomb.count(size) == 2
    assert refusal(bomb.replace(size, len(told).to_bytes(4, "little")))[0] == "ingest.archive_broken"


def test_a_line_without_end_is_refused_before_it_is_held() -> None:
    code, _ = refusal(NDJSON.encode() + b'\n{"t\xc3\xaan": "' + b"x" * 20_000_000, max_bytes=10**9)
    assert code == "ingest.row_too_long"


def test_a_folder_is_read_in_the_jail_as_one_file_is(tmp_path: Path) -> None:
    rows, folder = people(), tmp_path / "folder"
    (folder / "year=2025").mkdir(parents=True)
    write(folder / "a.csv", rows[:100])
    write(folder / "year=2025" / "b.csv", rows[100:])
    (folder / "_SUCCESS").touch()
    (folder / ".b.csv.crc").write_bytes(b"\0")
    made = publish(
        MANIFEST, folder, store=Store(tmp_path / "store"), pseudonymise=pseudonymise, consents=None,
        previous=None, limits=LIMITS,
    )  # fmt: skip
    assert made.report.rows_read == len(rows)
    assert made.report.rows_rejected == 0


def test_an_empty_folder_and_one_of_very_many_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PublicationRefused, match="empty"), opened(tmp_path):
        pass
    for number in range(501):
        (tmp_path / f"{number}.csv").touch()
    with pytest.raises(PublicationRefused, match="too_many_files"), opened(tmp_path):
        pass


def test_rejected_rows_are_kept_for_their_owner_with_place_and_reason(tmp_path: Path) -> None:
    rows = people()
    rows[3][0] = ""
    rows[5] = [*rows[5], "one too many"]
    manifest = MANIFEST.replace("k: 5", "k: 5\nreading: {max_rejected_share: 0.02}")
    store = Store(tmp_path / "store")
    with in_process():
        made = publish_rows(store, tmp_path, rows, manifest=manifest, header=HEADER)
    assert (made.report.rows_read, made.report.rows_rejected) == (238, 2)
    kept = store.private(made.version.id) / "rejected.parquet"
    assert kept.stat().st_mode & 0o777 == 0o600
    told = sorted(parquet.read_table(kept).to_pylist(), key=lambda one: int(one["row"]))
    assert told == [
        {"file": 1, "row": 5, "column": "key", "reason": "ingest.row_subject"},
        {"file": 1, "row": 7, "column": "", "reason": "ingest.row_fields"},
    ]
    with in_process(), pytest.raises(PublicationRefused) as refused:
        publish_rows(store, tmp_path, rows, manifest=manifest.replace("0.02", "0.001"), header=HEADER)
    assert refused.value.code == "ingest.too_many_rejected"
    assert (refused.value.params["rejected"], refused.value.params["rows"]) == (2, 240)


@pytest.mark.parametrize("said", ["Tổng cộng", "TỔNG CỘNG:", "Grand total"])
def test_a_closing_row_of_totals_is_no_person(tmp_path: Path, said: str) -> None:
    rows = [*people(), [said, "Huế", "cúm", "2400", "có", "có"]]
    manifest = MANIFEST.replace("k: 5", "k: 5\nreading: {max_rejected_share: 0.02}")
    store = Store(tmp_path / "store")
    with in_process():
        made = publish_rows(store, tmp_path, rows, manifest=manifest, header=HEADER)
        with pytest.raises(PublicationRefused) as refused:
            publish_rows(store, tmp_path, rows, header=HEADER)
    assert (made.report.rows_read, made.report.rows_rejected) == (240, 1)
    (told,) = parquet.read_table(store.private(made.version.id) / "rejected.parquet").to_pylist()
    assert told == {"file": 1, "row": 242, "column": "", "reason": "ingest.row_total"}
    assert (refused.value.code, refused.value.params) == ("ingest.total_row", {"lines": "242"})


def test_a_row_left_out_cannot_take_the_no_of_a_person_who_stays(tmp_path: Path) -> None:
    """Whoever stands twice is refused; one of the two rows cannot be read, and said no."""
    rows = people()
    rows.insert(7, [*rows[3][:3], rows[3][3], "nein", "nein"])
    manifest = MANIFEST.replace("k: 5", "k: 5\nreading: {max_rejected_share: 0.02}")
    with in_process(), pytest.raises(PublicationRefused) as refused:
        publish_rows(Store(tmp_path / "store"), tmp_path, rows, manifest=manifest, header=HEADER)
    assert refused.value.code == "ingest.subject_twice"
    assert (refused.value.params["rows"], refused.value.params["persons"]) == (1, 1)
    # Where nobody else has the key, the person is simply out.
    del rows[3]
    with in_process():
        made = publish_rows(Store(tmp_path / "store"), tmp_path, rows, manifest=manifest, header=HEADER)
    assert (made.report.rows_read, made.report.rows_rejected) == (239, 1)


def test_json_of_very_many_brackets_is_a_row_that_cannot_be_read() -> None:
    deep = b'{"other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    good = '{"tên": "a", "tuổi": 1}\n'.encode()
    # At the beginning, where the names are looked for, and far behind it.
    content = good + deep + good * 50_000 + deep
    code, params = refusal(content, *TWO)
    assert (code, params["rows"], params["lines"]) == ("ingest.not_json", 2, "2, 50003")
    reply, table = run_ingest(content, *TWO, reading={"max_rejected_share": 0.1})
    assert (reply.refusal, reply.rejected) == (None, 2)
    assert table is not None
    assert table.num_rows == 50_001


KINDS = {"ods": ods, "xlsb": xlsb, "xls": xls}
RECORDS: list[list[str | int]] = [["tên", "tuổi"], ["Nguyễn Văn An", 31], ["Lê Thị Bình", 7]]


@pytest.mark.parametrize("write", KINDS.values(), ids=KINDS)
def test_sheets_of_other_programs_are_read_as_excels_are(write: Callable[[Rows], bytes]) -> None:
    reply, table = run_ingest(write(RECORDS), *TWO)
    assert reply.refusal is None
    assert table is not None
    assert table.to_pylist() == [{"tên": "Nguyễn Văn An", "tuổi": 31}, {"tên": "Lê Thị Bình", "tuổi": 7}]


LONG = 5 * 1024 * 1024
CHOKING = {
    "an ods that unfolds": (ods(RECORDS, a__png=bytes(4_000_000)), "ingest.too_large"),
    "an xlsb that unfolds": (xlsb(RECORDS, a__png=bytes(4_000_000)), "ingest.too_large"),
    "an xlsx of many members": (zip_with_members(workbook(CELLS), 10_001), "ingest.too_many_files"),
    "an ods of many members": (zip_with_members(ods(RECORDS), 10_001), "ingest.too_many_files"),
    "an xls cut off": (xls(RECORDS)[:2000], "ingest.workbook_broken"),
    "an ods whose sheet is no XML": (ods(RECORDS, content__xml=b"<office:body"), "ingest.workbook_broken"),
}


@pytest.mark.parametrize(("content", "code"), CHOKING.values(), ids=CHOKING)
def test_a_workbook_that_would_choke_its_reader_is_refused(content: bytes, code: str) -> None:
    assert refusal(content, max_bytes=3_000_000)[0] == code


@pytest.mark.parametrize("write", [ods, workbook], ids=["ods", "xlsx"])
def test_a_cell_longer_than_any_program_makes_is_refused_before_it_is_read(write: Callable[[Any], bytes]) -> None:
    """Read whole, one of 60 MB took a minute and then all memory."""
    assert refusal(write([["tên", "tuổi"], ["a" * LONG, 1]]))[0] == "ingest.cell_too_long"
    split = "<r><t>" + "</t></r><r><t>".join(["a" * 600_000] * 2) + "</t></r>"
    row = f'<row r="1"><c r="A1" t="inlineStr"><is>{split}</is></c></row>'
    sheet = f"<worksheet><sheetData>{row}</sheetData></worksheet>"
    assert refusal(workbook(CELLS, sheet_xml=sheet.encode()))[0] == "ingest.cell_too_long"
