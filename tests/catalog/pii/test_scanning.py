"""Telephone numbers, however they are written and however few there are."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from catalog.intake import opened
from catalog.jailed.scan import main
from catalog.pii.order import ScanOrder
from catalog.pii.scanning import Scanner
from catalog.wire import FileScan, ScanReply

PHONES = [f"{series}{1_234_567 + 217_321 * i}" for i in range(10) for series in ("090", "091", "097", "098")]
WRITTEN = {
    "full-width digits": lambda text: "".join(chr(ord(sign) + 0xFEE0) for sign in text),
    "signs that nobody sees": "\u200b".join,
    "underscores": lambda text: f"{text[:4]}_{text[4:7]}_{text[7:]}",
    "a hash behind it": lambda text: f"{text}#",
}


def kinds(cells: list[str], header: str = "c", sample_rows: int = 2_000) -> set[str]:
    scanner = Scanner(ScanOrder(year=2026, sample_rows=sample_rows), [header])
    column = pa.array(cells, pa.string()).dictionary_encode()
    scanner.take(pa.RecordBatch.from_arrays([column], names=[header]))
    return {kind.kind for kind in scanner.detected().columns[0].kinds}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_telephone_number_is_one_however_it_is_written(written: object) -> None:
    assert callable(written)
    cells = [written(phone) for phone in PHONES]
    assert "phone" in kinds(cells)
    assert "phone" in kinds([f"gọi cho tôi qua {cell} nhé" for cell in cells])


@pytest.mark.parametrize("written", [str, *WRITTEN.values()], ids=["plain", *WRITTEN.keys()])
def test_one_among_short_words_is_found(written: object) -> None:
    assert callable(written)
    assert "phone" in kinds([*["có", "không", "?", "chưa"] * 500, written(PHONES[0])], sample_rows=50)


def test_one_number_among_numbers_is_no_telephone() -> None:
    assert kinds([*map(str, range(100, 2_100)), "0912345678"], sample_rows=50) == set()


def test_columns_without_a_name_and_a_file_without_a_header_are_scanned(tmp_path: Path) -> None:
    rows = "".join(f"{place},{phone}\n" for place, phone in enumerate(PHONES))
    for header, names in (("ten,\n", ["ten", "#2"]), ("so,so\n", ["so #1", "so #2"]), ("", ["#1", "#2"])):
        file = tmp_path / "file.csv"
        file.write_text(header + rows, encoding="utf-8")
        scan = FileScan(order=ScanOrder(year=2026), max_rows=10**6, max_bytes=10**8, max_row_group_bytes=10**8)
        with opened(file) as descriptors:
            reply = msgspec.msgpack.decode(
                main(msgspec.msgpack.encode(scan), descriptors, io.BytesIO()), type=ScanReply
            )
        assert reply.detected is not None
        assert [column.name for column in reply.detected.columns] == names
        assert reply.detected.rows == len(PHONES)
        assert [kind.kind for kind in reply.detected.columns[1].kinds] == ["phone"]


def test_of_numbers_a_part_is_judged_and_of_words_every_one() -> None:
    numbers = [f"09{i % 10}{i * 7919 % 9_999_991:07d}" for i in range(2_000)]
    scanner = Scanner(ScanOrder(year=2026), ["sdt"])
    column = pa.array(numbers, pa.string()).dictionary_encode()
    scanner.take(pa.RecordBatch.from_arrays([column], names=["sdt"]))
    found = scanner.detected().columns[0]
    assert {kind.kind: kind.share > 0.9 for kind in found.kinds} == {"phone": True}
    assert len(scanner.cells["sdt"]) < 1_000
    words = [f"khu vực số {i}" for i in range(1_999)]
    assert "phone" in kinds([*words, "gọi 0912345678"])
