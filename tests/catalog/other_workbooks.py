"""Workbooks of the other kinds (ods, xlsb, xls) written by hand: one sheet of texts and whole numbers."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[str | int]]
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ods(rows: Rows, **more: bytes) -> bytes:
    """OpenDocument; `more`: further members, "__" for a dot."""
    spaces = " ".join(f'xmlns:{name}="{_OFFICE}{name}:1.0"' for name in ("office", "table", "text"))
    lines = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="s1">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return zip_of(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content.encode(),
            "META-INF/manifest.xml": b"<manifest/>",
        }
        | {name.replace("__", "."): body for name, body in more.items()}
    )


def _ods_cell(cell: str | int) -> str:
    if isinstance(cell, int):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'


def xlsb(rows: Rows, **more: bytes) -> bytes:
    """Excel's binary workbook (MS-XLSB)."""
    book = (
        _record(0x8F)
        + _record(0x9C, struct.pack("<II", 0, 1) + _wide("r1") + _wide("s1"))
        + _record(0x90)
        + _record(0x9D, bytes(26))
    )
    cells = b"".join(
        _record(0x00, struct.pack("<IIHHBI", at, 0, 300, 0, 0, 0))
        + b"".join(map(_xlsb_cell, range(len(row)), row))
        for at, row in enumerate(rows)
    )
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    sheet = _record(0x94, size) + _record(0x91) + cells + _record(0x92)
    link = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{_KIND}worksheet" Target="worksheets/sheet1.bin"/></Relationships>'
    )
    return zip_of(
        {
            "[Content_Types].xml": b"<Types/>", "xl/workbook.bin": book, "xl/worksheets/sheet1.bin": sheet,
            "xl/_rels/workbook.bin.rels": link.encode(),
        } | {name.replace("__", "."): body for name, body in more.items()}
    )  # fmt: skip


def _xlsb_cell(column: int, cell: str | int) -> bytes:
    head = struct.pack("<II", column, 0)
    return (
        _record(0x05, head + struct.pack("<d", cell))
        if isinstance(cell, int)
        else _record(0x06, head + _wide(cell))
    )


def _record(kind: int, body: bytes = b"") -> bytes:
    """Number and length by seven bits a byte."""
    return _sevens(kind) + _sevens(len(body)) + body


def _sevens(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xls(rows: Rows) -> bytes:
    """BIFF8 in an OLE file (MS-XLS, MS-CFB)."""
    sheet = _biff(0x809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0)
    sheet += _biff(0x200, size)
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            place = struct.pack("<HHH", at, column, 0)
            if isinstance(cell, int):
                sheet += _biff(0x203, place + struct.pack("<d", cell))
            else:
                sheet += _biff(0x204, place + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
    sheet += _biff(0x0A)
    begin = _biff(0x809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    bound = struct.pack("<BBBB", 0, 0, 2, 0) + b"s1"
    offset = len(begin) + 4 + 4 + len(bound) + 4
    book = begin + _biff(0x85, struct.pack("<I", offset) + bound) + _biff(0x0A)
    return _ole(book + sheet)


def _biff(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _ole(stream: bytes) -> bytes:
    """One stream, "Workbook": sector 0 its table, 1 the directory, the others the stream."""
    stream = stream.ljust(8 * _SECTOR, b"\0")
    stream = stream.ljust(-(-len(stream) // _SECTOR) * _SECTOR, b"\0")
    sectors = len(stream) // _SECTOR
    chain = [_FAT, _END, *range(3, 2 + sectors), _END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(_SECTOR, b"\xff")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    head += struct.pack("<I", 0) + b"\xff" * (108 * 4)
    root = _entry("Root Entry", 5, child=1, start=_END, size=0)
    directory = root + _entry("Workbook", 2, child=_FREE, start=2, size=len(stream)) + bytes(256)
    return head + table + directory + stream


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    told = (name + "\0").encode("utf-16-le")
    return (
        told.ljust(64, b"\0") + struct.pack("<HBBIII", len(told), kind, 1, _FREE, _FREE, child) + bytes(36)
        + struct.pack("<IQ", start, size)
    )  # fmt: skip


def zip_of(members: dict[str, bytes]) -> bytes:
    """An archive, folded."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return sink.getvalue()


def zip_with_members(content: bytes, count: int) -> bytes:
    """The archive with so many empty members more."""
    sink = io.BytesIO(content)
    with zipfile.ZipFile(sink, "a") as archive:
        for number in range(count):
            archive.writestr(f"xl/media/{number}", b"")
    return sink.getvalue()
