"""What people and programs write around a value: quotes, a list's number, a label before, an issuer after."""

from __future__ import annotations

import re
from typing import Final

from catalog.pii.folding import fold

_CALLED_NUMBER: Final = re.compile(r"^(?:s[ốo]|no|nr)\s?[.:]?\s+(?=\S{6,}$)", re.I)
_FRACTION: Final = re.compile(r"\d{8,19}\.0+")
_QUOTED: Final = re.compile(r"([\"“'])(.+)[\"”']|\[([^\[\],;]+)\]")
_LISTED: Final = re.compile(r"\d{1,3}[.)]\s+(?=[^\W\d_]{2}[^,]*$)")
_BRANCH: Final = re.compile(r"(\d{10})\s+[-–]\s*(\d{3})|(\d{10})\s*(?:[/_]|[-–]\s)\s*(\d{3})")
_LABEL: Final = re.compile(
    r"[^\W\d_][^\d:]{0,24}:\s*(?=\S*\d)|[A-Za-z]{2,5}[ .]?(?=\d{9,})|[A-Z]{3}[ /-](?=[A-Z]{0,2}\d{6,9}\b)|"
    r"[^\W\d_]{2,4}[ .]+(?=\d)"
)
_PARTED: Final = re.compile(r"\s*[;|&\n]\s*|\s+/\s+")
_REST: Final = re.compile(r"\s*[,;(|]|\s+[-–/]\s|\s+(?=[^\W\d_]{2,})")

_NOTHING: Final = re.compile(
    r"[-–—.…?*_/]+|n/?a|nan|nil|none|null|unknown|yes|no|co"
    r"|(?:khong|ko|chua|chua duoc)(?: (?:co|ro|biet|cap nhat|khai|xac dinh))?"
)
"""Folded: what people write where they have nothing to say. It says nothing of the other cells either."""


def says_nothing(cell: str) -> bool:
    """Whether it stands for an empty cell."""
    return len(cell) < 20 and _NOTHING.fullmatch(fold(cell)) is not None


def unwrapped(cell: str) -> str:
    """Without quotes around it, a list's number before a name ("12. Lê An"), and the fraction that a spreadsheet
    made of a number ("79172274184.0"); "Số C1234567" without the word; a branch's tax code in one piece."""
    if _FRACTION.fullmatch(cell):
        return cell.split(".", maxsplit=1)[0]
    if quoted := _QUOTED.fullmatch(cell):
        cell = (quoted[2] or quoted[3]).strip()
    if branch := _BRANCH.fullmatch(cell):
        return f"{branch[1] or branch[3]}-{branch[2] or branch[4]}"
    return _CALLED_NUMBER.sub("", cell[found.end() :] if (found := _LISTED.match(cell)) else cell)


def core(cell: str) -> str:
    """The value, where its header says what it is: "CCCD: 0123…", "KOR-M1234567", "C1234567 cấp 01/02/2020",
    "01/02/1980, Huế". The cell itself, where nothing stands around it."""
    label = _LABEL.match(cell)
    text = cell[label.end() :] if label else cell
    rest = _REST.search(text, 1)
    return text[: rest.start()] if rest and any(map(str.isdigit, text[: rest.start()])) else text


def pieces(cell: str) -> list[str]:
    """The numbers of a cell that holds several: "C1234567; C7654321"."""
    return [piece for piece in _PARTED.split(cell) if piece] if _PARTED.search(cell) else []
