"""Days and instants as they are written in Viet Nam, and in ISO 8601."""

from __future__ import annotations

import datetime
import re

_FIRST_YEAR = 1000
"""Before it a year was typed with a slip ("0098"): nothing that a register holds is so old."""
_CLOCK = r"(?:[ ,T]+(?:lúc )?(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
_DAY = re.compile(rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_CLOCK}")
_IN_WORDS = re.compile(
    rf"(?:ngày )?(\d{{1,2}})\s+(tháng)\s+(\d{{1,2}}|giêng|hai|ba|tư|năm|sáu|bảy|tám|chín|mười|chạp)"
    rf"(?:,?\s+năm)?\s+(\d{{4}}){_CLOCK}"
)
_MONTHS = {
    "giêng": 1, "hai": 2, "ba": 3, "tư": 4, "năm": 5, "sáu": 6, "bảy": 7, "tám": 8, "chín": 9, "mười": 10,
    "chạp": 12,
}  # fmt: skip


def instant(
    text: str, format_: str | None, *, date: bool, century_from: int | None = None
) -> datetime.date | datetime.datetime | None:
    """A day or an instant (UTC, without zone); None: none, a year before 1000, or one of two digits without
    a rule.

    `century_from`: the first of the hundred years that two digits can mean.
    """
    try:
        moment = _moment(text, format_, century_from)
    except (ValueError, OverflowError):
        return None
    if moment is None or moment.year < _FIRST_YEAR:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return moment.date() if date else moment


def _moment(text: str, format_: str | None, century_from: int | None) -> datetime.datetime | None:
    if format_ is not None:
        moment = datetime.datetime.strptime(text, format_)
        if "%y" not in format_:
            return moment
        year = _full(moment.year % 100, century_from)
        return None if year is None else moment.replace(year=year)
    match = _DAY.fullmatch(text) or _IN_WORDS.fullmatch(text.casefold())
    if match is None:
        return datetime.datetime.fromisoformat(text)
    month = _MONTHS.get(match[3]) or int(match[3])
    year = int(match[4]) if len(match[4]) == 4 else _full(int(match[4]), century_from)
    hour, minute, second = (int(part or 0) for part in match.groups()[4:])
    return None if year is None else datetime.datetime(year, month, int(match[1]), hour, minute, second)


def _full(short: int, century_from: int | None) -> int | None:
    if century_from is None:
        return None
    return century_from + (short - century_from) % 100
