"""Rows as a table on a terminal: numbers to the right, long cells cut, no character that steers the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

ROWS = 40
CELL_COLUMNS = 60


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The first `ROWS` rows, and how many more there are."""
    shown = [[_cell(row.get(column)) for column in columns] for row in rows[:ROWS]]
    numbers = [all(_is_number(row.get(column)) for row in rows[:ROWS]) for column in columns]
    heads = [_cell(column) for column in columns]
    widths = [max(_width(line[i]) for line in [heads, *shown]) for i in range(len(columns))]
    lines = [_line(heads, widths, numbers), "  ".join("─" * width for width in widths)]
    lines += [_line(cells, widths, numbers) for cells in shown]
    if len(rows) > ROWS:
        lines.append(f"… {len(rows) - ROWS:,} dòng nữa / more rows (--format csv)")
    return "\n".join(line.rstrip() for line in lines)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def printable(value: object) -> str:
    """As text, without what steers a terminal."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else "�" for c in text)


def printable_lines(text: str) -> str:
    """The same of several lines, which stay lines."""
    return "\n".join(map(printable, text.split("\n")))


def _cell(value: object) -> str:
    text = printable(value)
    while _width(text) > CELL_COLUMNS:
        text = text[: CELL_COLUMNS - 1].rstrip("…") + "…"
    return text


def _width(text: str) -> int:
    """Columns on a terminal: marks take none, East Asian wide characters two."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _line(cells: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    padded = (
        " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
        for cell, width, right in zip(cells, widths, to_right, strict=True)
    )
    return "  ".join(padded)
