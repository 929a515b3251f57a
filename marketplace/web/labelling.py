"""Cells that carry the name of their column: on a narrow page a table's rows become cards."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from markupsafe import Markup, escape

_HEAD: Final = re.compile(r"<th\b([^>]*)>(.*?)</th>", re.DOTALL)
_ROW: Final = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL: Final = re.compile(r"<(t[dh])\b([^>]*)>(.*?)(?=</t[dh]>)", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]+>")
_SPAN: Final = re.compile(r'colspan="(\d+)"')
_CLASS: Final = re.compile(r'class="([^"]*)"')
_EMPTY: Final = frozenset({"", "–"})


def labelled(table: Markup) -> Markup:
    """What stands inside a <table>, each cell of its body with `data-label`; a cell that says nothing is marked.

    A cell holds no table.
    """
    head, found, body = str(escape(table)).partition("</thead>")
    names = [unescape(_TAG.sub("", name)).strip() for _, name in _HEAD.findall(head)]
    named = _ROW.sub(lambda row: _row(row[0], names), body)
    return Markup(head + found + named)  # noqa: S704 - what was markup already, with attributes that are escaped


def _row(row: str, names: list[str]) -> str:
    place = 0

    def cell(found: re.Match[str]) -> str:
        nonlocal place
        tag, given, content = found.groups()
        name = names[place] if place < len(names) else ""
        span = _SPAN.search(given)
        place += int(span[1]) if span else 1
        if content.strip() in _EMPTY:
            given = _marked(given)
        return f'<{tag}{given} data-label="{escape(name)}">{content}'

    return _CELL.sub(cell, row)


def _marked(given: str) -> str:
    if _CLASS.search(given):
        return _CLASS.sub(r'class="\1 nothing"', given)
    return given + ' class="nothing"'
