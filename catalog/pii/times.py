"""Days of birth and places on the map."""

from __future__ import annotations

import datetime
import re
from contextlib import suppress

from catalog.pii.folding import fold

_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?"
_ORDERS = (
    (re.compile(r"(\d{1,2})\s?[/.\-–]\s?(\d{1,2})\s?[/.\-–]\s?(\d{4}|\d{2})" + _TIME), (3, 2, 1)),
    (re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})" + _TIME), (1, 2, 3)),
    (re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)"), (1, 2, 3)),
    (re.compile(r"([0-3]\d)(0[1-9]|1[0-2])((?:19|20)\d{2})"), (3, 2, 1)),
    (re.compile(r"(?:ngay\s)?(\d{1,2})\sthang\s(\d{1,2})(?:,)?\snam\s(\d{4})"), (3, 2, 1)),
)
_MONTHS = re.compile(r"(\d{1,2})[ -](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ,-]+(\d{4})")
_MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DECIMAL = r"([-+]?\d{1,3}[.,]\d{3,})\s?°?\s?"
_PAIR = re.compile(
    rf"\(?\s*(?:lat[:=]?\s*)?{_DECIMAL}[NBS]?\s*[,;/ ]\s*(?:(?:lon|lng|long)[:=]?\s*)?{_DECIMAL}[EĐ]?\s*\)?", re.I
)
_POINT = re.compile(r"POINT\s?\(\s*(\d{2,3}\.\d+)\s+(\d{1,2}\.\d+)\s*\)", re.I)
_DEGREES = re.compile(
    r"(\d{1,2})\s?°\s?(\d{1,2})\s?['′’]\s?([\d.,]+)\s?(?:\"|″|”|'')?\s?[NB]\s*[,; ]\s*"
    r"(\d{2,3})\s?°\s?(\d{1,2})\s?['′’]\s?([\d.,]+)\s?(?:\"|″|”|'')?\s?[EĐ]", re.I,
)  # fmt: skip
_ONE = re.compile(r"-?(\d{1,3})[.,](\d{3,})")


def day(cell: str, *, year: int) -> datetime.date | None:
    """A date as it is written in Viet Nam, day first, or ISO; two digits of a year are in the past."""
    text = fold(cell)
    for pattern, (y, m, d) in _ORDERS:
        if found := pattern.fullmatch(text):
            return _date(int(found[y]), int(found[m]), int(found[d]), year)
    if found := _MONTHS.fullmatch(text):
        return _date(int(found[3]), 1 + _MONTH_NAMES.index(found[2]), int(found[1]), year)
    return None


def _date(y: int, m: int, d: int, now: int) -> datetime.date | None:
    if y < 100:
        y += 2000 if y <= now % 100 else 1900
    if m > 12 >= d:  # month first, as an American export has it
        m, d = d, m
    with suppress(ValueError):
        return datetime.date(y, m, d)
    return None


def is_birth(cell: str, *, year: int) -> bool:
    """A day on which somebody alive may have been born."""
    found = day(cell, year=year)
    return found is not None and year - 115 <= found.year <= year


def is_year_of_birth(cell: str, *, year: int) -> bool:
    """Four digits, under a header that says so."""
    text = cell.strip().removesuffix(".0")
    return text.isascii() and text.isdigit() and len(text) == 4 and year - 115 <= int(text) <= year


def is_place(cell: str) -> bool:
    """A pair of coordinates within Viet Nam and its waters, to a hundred metres or finer."""
    text = cell.strip()
    if found := _DEGREES.fullmatch(text):
        return inside(float(found[1]), float(found[4]))
    if found := _POINT.fullmatch(text):
        return inside(float(found[2]), float(found[1]))
    found = _PAIR.fullmatch(text)
    if found is None:
        return False
    one, two = (float(found[i].replace(",", ".")) for i in (1, 2))
    return inside(one, two) or inside(two, one)


def inside(latitude: float, longitude: float) -> bool:
    return 6.5 <= latitude <= 23.6 and 102.0 <= longitude <= 117.9


def is_latitude(cell: str) -> bool:
    """Alone, between Cà Mau's islands and Lũng Cú."""
    return _between(cell, 6.5, 23.6)


def is_longitude(cell: str) -> bool:
    return _between(cell, 102.0, 117.9)


def _between(cell: str, low: float, high: float) -> bool:
    text = cell.strip().rstrip("°")
    found = _ONE.fullmatch(text)
    return found is not None and low <= float(f"{found[1]}.{found[2]}") <= high
