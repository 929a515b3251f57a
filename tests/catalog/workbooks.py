"""Workbooks (xlsx) written by hand, so that a test can also write broken ones."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
)
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_STYLES = (
    f'<styleSheet {_MAIN}><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs>'
    "</styleSheet>"
)
Cell = str | int | float | bool | datetime.date | None


def workbook(
    *sheets: Sequence[Sequence[Cell]],
    sheet_xml: bytes | None = None,
    more: dict[str, bytes] | None = None,
    merged: Sequence[str] = (),
    hidden: Sequence[int] = (),
    mac: bool = False,
) -> bytes:
    """Sheets called s1, s2 …; `sheet_xml`: instead of what the first would be; `more`: other members.

    `merged`: ranges of the first one, such as "A1:C1"; `hidden`: which sheets are, from 1; `mac`: days are counted
    from 1904."""
    numbers = range(1, len(sheets) + 1)
    related = (
        "".join(
            f'<Relationship Id="r{i}" Type="{_KIND}worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers
        )
        + f'<Relationship Id="st" Type="{_KIND}styles" Target="styles.xml"/>'
    )
    named = "".join(
        f'<sheet name="s{i}" sheetId="{i}" r:id="r{i}" state="{"hidden" if i in hidden else "visible"}"/>'
        for i in numbers
    )
    since = '<workbookPr date1904="1"/>' if mac else ""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        top = f'<Relationship Id="r1" Type="{_KIND}officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", _RELATIONS.format(top))
        archive.writestr("xl/_rels/workbook.xml.rels", _RELATIONS.format(related))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {_MAIN} xmlns:r="{_KIND[:-1]}">{since}<sheets>{named}</sheets></workbook>',
        )
        archive.writestr("xl/styles.xml", _STYLES)
        for number, rows in zip(numbers, sheets, strict=True):
            body = (
                sheet_xml
                if sheet_xml is not None and number == 1
                else _sheet(rows, merged if number == 1 else ()).encode()
            )
            archive.writestr(f"xl/worksheets/sheet{number}.xml", body)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return sink.getvalue()


def _sheet(rows: Sequence[Sequence[Cell]], merged: Sequence[str]) -> str:
    lines = "".join(
        f'<row r="{r}">{"".join(_cell(f"{chr(65 + c)}{r}", cell) for c, cell in enumerate(row))}</row>'
        for r, row in enumerate(rows, 1)
        if row
    )
    ranges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    ranges = f"<mergeCells>{ranges}</mergeCells>" if ranges else ""
    return f"<worksheet {_MAIN}><sheetData>{lines}</sheetData>{ranges}</worksheet>"


def _cell(place: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, datetime.date):
        moment = (
            cell if isinstance(cell, datetime.datetime) else datetime.datetime(cell.year, cell.month, cell.day)
        )
        days = (moment - datetime.datetime(1899, 12, 30)) / datetime.timedelta(days=1)
        return f'<c r="{place}" s="{2 if isinstance(cell, datetime.datetime) else 1}"><v>{days!r}</v></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'
