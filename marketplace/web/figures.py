"""How figures look in each language: đồng, bytes, shares, instants in Vietnamese time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from catalog.quality.figures import Bar
from marketplace.calendar import VIETNAM
from marketplace.texts import Language

_COMMAS: Final = str.maketrans(",.", ".,")
_WRITTEN: Final = re.compile(r"(?<![\w.,-])\d{1,3}(,\d{3})+(\.\d+)?(?![\w-])|(?<![\w.,-])\d+\.\d+(?![\w.-])")
_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LEAST_SHARE: Final = 0.0001
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def number(value: float, language: Language, *, decimals: int = 0) -> str:
    """1.234,5 in Vietnamese, 1,234.5 in English."""
    text = f"{value:,}" if isinstance(value, int) and not decimals else f"{value:,.{decimals}f}"
    return text.translate(_COMMAS) if language == "vi" else text


def plain(value: float, language: Language) -> str:
    """With as many decimals as it has, up to two."""
    return number(value, language, decimals=_decimals(value))


def span(bar: Bar, language: Language) -> str:
    """Of numbers or months: "20.000 – 60.000", "03/2024 – 01/2025"; one end where both are the same."""
    ends = [_end(end, language) for end in (bar.label, bar.until)]
    return ends[0] if ends[0] == ends[1] else " – ".join(ends)


def _end(end: str, language: Language) -> str:
    if re.fullmatch(r"\d{4}-\d\d", end):
        return month(end, language)
    return number(float(end), language, decimals=len(end.partition(".")[2]))


def written(text: str, language: Language) -> str:
    """Words that hold numbers as English writes them (`1,878`, `0.998`), with them as the language does."""
    return _WRITTEN.sub(lambda found: found[0].translate(_COMMAS), text) if language == "vi" else text


def vnd(value: int | None, language: Language) -> str:
    """Integer đồng with its sign; a dash when there is no amount."""
    return "–" if value is None else f"{number(value, language)}\u00a0₫"


def usd(cents: int, language: Language) -> str:
    """Dollars with their cents: 25,50 USD in Vietnamese, USD 25.50 in English."""
    amount = number(cents / 100, language, decimals=2)
    return f"{amount}\u00a0USD" if language == "vi" else f"USD\u00a0{amount}"


def rate(micro: int, language: Language) -> str:
    """Đồng of a rate in micro-đồng, with as many decimals as it has."""
    decimals = len(f"{micro % 10**6:06}".rstrip("0"))
    text = f"{Decimal(micro) / 10**6:,.{decimals}f}"
    return f"{text.translate(_COMMAS) if language == 'vi' else text}\u00a0₫"


def size(value: int, language: Language) -> str:
    """Bytes in decimal units (1 GB = 10⁹ bytes), as they are priced."""
    scaled, unit = float(value), 0
    while scaled >= 1000 and unit < len(_UNITS) - 1:
        scaled, unit = scaled / 1000, unit + 1
    return f"{number(scaled, language, decimals=_decimals(scaled))}\u00a0{_UNITS[unit]}"


def percent(share: float, language: Language) -> str:
    """A share 0..1 as a percentage, to two decimals where it has them; below one in 10,000 it says so."""
    if 0 < share < LEAST_SHARE:
        return f"<\u00a0{number(LEAST_SHARE * 100, language, decimals=2)}%"
    return f"{number(share * 100, language, decimals=_decimals(share * 100))}%"


def power(value: float, _language: Language) -> str:
    """A tiny number by its power of ten: 10⁻⁶, 5·10⁻⁷."""
    front, _, exponent = f"{value:.0e}".partition("e")
    return f"{'' if front == '1' else front + '·'}10{str(int(exponent)).translate(_RAISED)}"


def instant(at: datetime | int | str | None, language: Language) -> str:
    """Day and time in Viet Nam, of a datetime, its ISO 8601, or milliseconds since the epoch; a dash for none."""
    if at is None:
        return "–"
    local = _local(datetime.fromisoformat(at) if isinstance(at, str) else at)
    return local.strftime("%d/%m/%Y %H:%M") if language == "vi" else local.strftime("%d %b %Y, %H:%M")


def month(period: str, _language: Language) -> str:
    """MM/YYYY of YYYY-MM, as both languages read it."""
    return f"{period[5:]}/{period[:4]}"


def day(at: datetime | date | int | str | None, language: Language) -> str:
    """The day in Viet Nam, also of YYYY-MM-DD; a dash when there is none."""
    if at is None:
        return "–"
    if isinstance(at, str):
        at = date.fromisoformat(at)
    local = at if isinstance(at, date) and not isinstance(at, datetime) else _local(at)
    return local.strftime("%d/%m/%Y" if language == "vi" else "%d %b %Y")


def iso(at: datetime | int) -> str:
    """For the machine-readable `datetime` attribute: ISO 8601 in UTC."""
    return _local(at).astimezone(UTC).isoformat(timespec="seconds")


def _decimals(value: float) -> int:
    """Up to two, none that are zero."""
    return len(f"{value:.2f}".rstrip("0").partition(".")[2])


def _local(at: datetime | int) -> datetime:
    if isinstance(at, int):
        return datetime.fromtimestamp(at / 1000, VIETNAM)
    return at.astimezone(VIETNAM)
