"""Cells of a workbook (xlsx) whose formula gave an error, "#N/A" or "#REF!": no reader of values sees them."""

from __future__ import annotations

import html
import re
import zipfile
from typing import IO, Final

from catalog.jailed.refused import Refused

MOST_SIGNS: Final = 1024 * 1024
"""Of a cell: thirty times what Excel lets one hold."""
_CHUNK_BYTES: Final = 1024 * 1024
_CELL: Final = re.compile(rb"""<(?:x:)?c\s[^<>]*\bt=["']e["']""")
_LONGEST_CELL_BYTES: Final = 256
_LONGEST_TEXT_BYTES: Final = 4 * 1024 * 1024
"""Between two tags: a cell holds 32,767 signs, each of at most ten bytes in XML."""
_SHEETS: Final = "xl/worksheets/"
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\s[^<>]*>")
_LINK: Final = re.compile(r"<(?:\w+:)?Relationship\s[^<>]*>")
_ATTRIBUTE: Final = re.compile(r"""(?:\w+:)?(\w+)=("[^"]*"|'[^']*')""")


def errors_of(name: str, file: IO[bytes]) -> int:
    """How many are in the member `name`, which is read to its end: 0 where it is no sheet.

    Raises Refused where a text in it is longer than any cell can be.
    """
    count, tail, run = 0, b"", 0
    while chunk := file.read(_CHUNK_BYTES):
        run = len(chunk) - 1 - last if (last := chunk.rfind(b"<")) >= 0 else run + len(chunk)
        if run > _LONGEST_TEXT_BYTES and name.endswith(".xml"):
            raise Refused("ingest.cell_too_long", max=MOST_SIGNS)
        if name.startswith(_SHEETS):
            text = tail + chunk
            found = list(_CELL.finditer(text))
            count += len(found)
            begin = max(found[-1].end() if found else 0, len(text) - _LONGEST_CELL_BYTES)
            tail = text[begin:]
    return count


def member_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The member that holds the sheet of this name; empty where the workbook does not say."""
    try:
        book, links = (archive.read(path).decode() for path in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
    except (KeyError, UnicodeDecodeError):
        return ""
    link = next((each.get("id") for each in map(_said, _SHEET.findall(book)) if each.get("name") == sheet), None)
    target = next(
        (each.get("Target", "") for each in map(_said, _LINK.findall(links)) if each.get("Id") == link), ""
    )
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _said(tag: str) -> dict[str, str]:
    """Attributes, without the short names of their vocabularies."""
    return {name: html.unescape(value[1:-1]) for name, value in _ATTRIBUTE.findall(tag)}
