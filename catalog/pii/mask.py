"""Examples that show the form of a cell and not the cell."""

from __future__ import annotations

from typing import Final

SHOWN_AT_MOST: Final = 3
"""Characters of a cell that its masked example may hold."""
_LONGEST: Final = 24


def mask(cell: str) -> str:
    """The first character and, of longer cells, the last two, as far as they are letters or digits; everything
    else by its class: • a digit, x a letter, ? a sign that could do something where it is shown."""
    text = cell[:200].strip()
    open_places = {0, len(text) - 2, len(text) - 1} if len(text) >= 8 else {0} if len(text) >= 4 else set()
    if "@" in text:
        open_places = {0}
    masked = [_own(sign) if place in open_places else _class(sign) for place, sign in enumerate(text)]
    if masked and masked[0] in "+-@":  # a spreadsheet would take it for a formula
        masked[0] = "?"
    if len(masked) > _LONGEST:
        masked = [*masked[: _LONGEST - 3], "…", *masked[-2:]]
    return "".join(masked)


def _own(sign: str) -> str:
    return sign if sign.isalnum() and sign.isprintable() else _class(sign)


def _class(sign: str) -> str:
    if sign.isdigit():
        return "•"
    if sign.isalpha():
        return "x"
    return sign if sign in " .,-/@+" else "?"
