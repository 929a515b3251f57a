"""Days of birth and places on the map."""

from __future__ import annotations

import datetime
import re
from contextlib import suppress

from catalog.pii.folding import fold

_TIME = r"(?:[t ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2}|\s?(?:[ap]m|sa|ch))?)?"
_ORDERS = (
    (re.compile(r"(\d{1,2})\s?[/.\-–]\s?(\d{1,2})\s?[/.\-–]\s?(\d{4}|\d{2})" + _TIME), (3, 2, 1)),
    (re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})" + _TIME), (1, 2, 3)),
    (re.compile(r"((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)"), (1, 2, 3)),
    (re.compile(r"([0-3]\d)(0[1-9]|1[0-2])((?:19|20)\d{2})"), (3, 2, 1)),
    (re.compile(r"(?:ngay\s)?(\d{1,2})\sthang\s(\d{1,2})(?:,)?\snam\s(\d{4})"), (3, 2, 1)),
    (re.compile(r"(\d{1,2})(?:,\s?|\s)(\d{1,2})(?:,\s?|\s)((?:19|20)\d{2})"), (3, 2, 1)),
    (re.compile(r"(\d{1,2})[ -]{0,2}(?:thang|thg|th)[. ]{0,2}(\d{1,2})[ ,/-]{1,2}(\d{4}|\d{2})"), (3, 2, 1)),
)
_MONTHS = re.compile(
    r"(\d{1,2})[ -]?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .,-]*(\d{4}|\d{2})" + _TIME
)
_MONTHS_FIRST = re.compile(
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .]+(\d{1,2})(?:st|nd|rd|th)?[ ,]+(\d{4})"
)
_MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DECIMAL = r"([-+]?\d{1,3}[.,]\d{3,})\s?°?\s?"
_HEIGHT = r"(?:\s*[,;|]\s*-?\d{1,4}(?:\.\d+)?\s?m?)?"
_PAIR = re.compile(rf"{_DECIMAL}[NBEĐ]?\s*[,;/| &]\s*{_DECIMAL}[NBEĐ]?{_HEIGHT}", re.I)
_KEYS = re.compile(
    r"[\"'{}\[\]]|^\(|\)$|&amp;|\b(?:lat(?:itude)?|lng|lon(?:g(?:itude)?)?|v[iĩ] ?[dđ][oộ]|kinh ?[dđ][oộ]|type|"
    r"coordinates|"
    r"(?<=type: )point|point(?=\W+coordinates)|srid=\d+;?)\b\s*[:=]?",
    re.I,
)
"""What programs write about the two numbers."""
_POINT = re.compile(r"POINT\s?\(\s*(\d{2,3}\.\d+)\s+(\d{1,2}\.\d+)\s*\)", re.I)
_AXES = re.compile(r"[xy]\s*[=:]\s*\d{6,7}(?:[.,]\d+)?\s*[,;/| ]\s*[xy]\s*[=:]\s*\d{6,7}(?:[.,]\d+)?", re.I)
_SIDE = re.compile(r"^[NBEĐ]\s*(?=\d)|\s*[°º]?\s*[NBEĐ]$", re.I)
_ANY_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_ONE = re.compile(r"-?(\d{1,3})[.,](\d{3,})")


def _degrees(sides: str) -> str:
    """Degrees, minutes and perhaps seconds as they are written, on one of `sides`."""
    side = rf"(?:[{sides}]\s*)?"
    seconds = r"(?:([\d.,]+)\s?(?:\"|″|”|'')?)?"
    return rf"{side}(\d{{1,3}})\s?[°º]\s?(\d{{1,2}}(?:[.,]\d+)?)\s?['′’]?\s?{seconds}\s?{side}"


_HALF_DEGREES = re.compile(_degrees("NBEĐ"), re.I)
_DEGREES = re.compile(rf"{_degrees('NB')}[,;]?\s*{_degrees('EĐ')}", re.I)
_METRES = re.compile(r"\d{6,7}(?:[.,]\d+)?")
_VERSION = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2}")
_MONTH = re.compile(r"(?:(?:0?[1-9]|1[0-2])[/.-](\d{4})|(\d{4})[/.-](?:0?[1-9]|1[0-2]))")
_NO_DAY = re.compile(r"^(?:(?:00|--|__|xx|\?\?|\.\.)[/.-]){1,2}(?=(?:\d{1,2}[/.-])?\d{4}$)", re.I)
"""Of those who know only the year, or the month and the year."""
_SECONDS = re.compile(r"-?\d{5,10}(000)?")
_SECONDS_A_YEAR = 31_556_952
_DAY_ZERO = 1900
"""Of the days that a spreadsheet counts."""


def day(cell: str, *, year: int) -> datetime.date | None:
    """A date as it is written in Viet Nam, day first, or ISO; two digits of a year are in the past."""
    text = fold(cell)
    for pattern, (y, m, d) in _ORDERS:
        if found := pattern.fullmatch(text):
            return _date(int(found[y]), int(found[m]), int(found[d]), year)
    if found := _MONTHS.fullmatch(text):
        return _date(int(found[3]), 1 + _MONTH_NAMES.index(found[2]), int(found[1]), year)
    if found := _MONTHS_FIRST.fullmatch(text):
        return _date(int(found[3]), 1 + _MONTH_NAMES.index(found[1]), int(found[2]), year)
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


def is_version(cell: str) -> bool:
    """ "2.10.19": a day only where the header says so."""
    return _VERSION.fullmatch(cell.strip()) is not None


def is_told_of_birth(cell: str, *, year: int) -> bool:
    """What tells of a birth under a header that says so: a year, a month, the days that a spreadsheet counts, or
    the (milli)seconds since 1970 in which a program does."""
    text = _NO_DAY.sub("", cell.strip().removesuffix(".0"))
    if found := _MONTH.fullmatch(text):
        return year - 115 <= int(found[1] or found[2]) <= year
    if not text.isascii() or not text.removeprefix("-").isdigit():
        return False
    if len(text) == 4 and year - 115 <= int(text) <= year:
        return True
    if 4 <= len(text) <= 5 and 0 < int(text) / 365.2425 <= year + 1 - _DAY_ZERO:
        return True
    if not _SECONDS.fullmatch(text):
        return False
    seconds = int(text) / (1000 if len(text.lstrip("-")) > 10 else 1)
    return year - 115 <= 1970 + seconds / _SECONDS_A_YEAR < year + 1


def is_place(cell: str) -> bool:
    """A pair of coordinates within Viet Nam and its waters, to a hundred metres or finer."""
    text = _KEYS.sub(" ", cell).strip(" \t\n,;/|")
    if found := _DEGREES.fullmatch(text):  # a whole minute is two kilometres
        fine = all(found[seconds] or not found[minutes].isdigit() for minutes, seconds in ((2, 3), (5, 6)))
        return fine and inside(float(found[1]), float(found[4]))
    if found := _POINT.fullmatch(text):
        return inside(float(found[2]), float(found[1]))
    if _AXES.fullmatch(text):
        return is_told_place(text)
    found = _PAIR.fullmatch(text)
    if found is None:
        return False
    if found[1].count(",") != found[2].count(","):
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


def is_northing(cell: str) -> bool:
    """Metres from the equator in VN-2000, of which surveyors call the axis X (Circular 973/2001)."""
    return _METRES.fullmatch(cell.strip()) is not None and 700_000 <= _number(cell) <= 2_650_000


def is_easting(cell: str) -> bool:
    """Metres on the other axis: half a million on the meridian of the province."""
    return _METRES.fullmatch(cell.strip()) is not None and 100_000 <= _number(cell) <= 950_000


def is_millionth(cell: str, half: str) -> bool:
    """Of a degree, or a tenth of that, as trackers send it: a whole number."""
    text = cell.strip()
    low, high = (6.5, 23.6) if half == "latitude" else (102.0, 117.9)
    return text.isascii() and text.isdigit() and any(low <= int(text) / unit <= high for unit in (10**6, 10**7))


def is_told_place(cell: str) -> bool:
    """Under a header that says so: a pair in metres, or to a kilometre."""
    numbers = [_number(each) for each in _ANY_NUMBER.findall(_KEYS.sub(" ", cell))]
    if len(numbers) != 2:
        return False
    one, two = numbers
    metres = any(700_000 <= x <= 2_650_000 and 100_000 <= y <= 950_000 for x, y in ((one, two), (two, one)))
    return metres or inside(one, two) or inside(two, one)


def is_fine(cell: str) -> bool:
    """Tells a place to some ten metres."""
    return "°" in cell or "º" in cell or len(re.split(r"[.,]", cell)[-1]) >= 4


def _between(cell: str, low: float, high: float) -> bool:
    text = _SIDE.sub("", _KEYS.sub(" ", cell)).strip()
    if found := _HALF_DEGREES.fullmatch(text):
        minutes, seconds = (_number(found[i]) if found[i] else 0.0 for i in (2, 3))
        return low <= int(found[1]) + minutes / 60 + seconds / 3600 <= high
    found = _ONE.fullmatch(text.rstrip("°º").strip())
    return found is not None and low <= float(f"{found[1]}.{found[2]}") <= high


def _number(text: str) -> float:
    with suppress(ValueError):
        return float(text.strip().replace(",", "."))
    return -1.0
