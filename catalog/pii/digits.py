"""Numbers with a form and a check: CCCD, CMND, tax code, insurance number, plate, passport, bank card."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

PROVINCES: Final = frozenset([
    "01", "02", "04", "06", "08", "10", "11", "12", "14", "15", "17", "19", "20", "22", "24", "25", "26",
    "27", "30", "31", "33", "34", "35", "36", "37", "38", "40", "42", "44", "45", "46", "48", "49", "51",
    "52", "54", "56", "58", "60", "62", "64", "66", "67", "68", "70", "72", "74", "75", "77", "79", "80",
    "82", "83", "84", "86", "87", "89", "91", "92", "93", "94", "95", "96",
])  # fmt: skip
"""Of the 63 provinces in which numbers were given out (Decision 124/2004); those of the 34 are among them."""

_CARD_OBJECTS: Final = frozenset([
    "DN", "HX", "CH", "NN", "TK", "HC", "XK", "HT", "TB", "NO", "CT", "XB", "TN", "CS", "QN", "CA", "CY",
    "XN", "MS", "CC", "CK", "CB", "KC", "HD", "TE", "BT", "HN", "DT", "DK", "XD", "TS", "TC", "TQ", "TA",
    "TY", "HG", "LS", "PV", "HS", "SV", "GB", "GD", "TH", "TV", "TD", "TU", "BA", "ND", "NU", "XV", "CQ",
    "BH", "CN", "DQ", "XT", "KT",
])  # fmt: skip
"""First letters of a BHYT card: the group that its holder belongs to."""

_NO_PLATES: Final = frozenset({"10", "13", "42", "44", "45", "46", "87", "91", "96"})
_PLATE = re.compile(
    r"(\d{2})[\s._–-]{0,3}([A-HK-NPS-VX-ZĐ]{1,2}|[A-HK-NPS-VX-Z][1-9]|[A-HK-NPS-VX-Z]{2}[1-9]|MĐ\d?|LD|DA|R)"
    r"[\s._–-]{0,3}(\d{3}[.\s]?\d{2}|\d{4})[TVX]?"
)
"""The last letter is the colour, as toll gates add it (trắng, vàng, xanh)."""
_FOREIGN_PLATE = re.compile(r"\d{2}[\s-]?\d{3}[\s-]?(?:NG|NN|QT|CV)[\s-]?\d{2}")
"""Of embassies and of foreigners (Circular 79/2024 of the Ministry of Public Security)."""
_ARMY_PLATE = re.compile(r"[A-Z]{2}[\s.-]?\d{2}[\s.-]?\d{2}")
_ASIDE = re.compile(r"\s*\([^()\d]{0,30}\)$")
_PASSPORT = re.compile(r"([A-Z])\s?(\d{7}|\d{8})")
_HEALTH_CARD = re.compile(r"([A-Z]{2})([1-5])(\d{2})(\d{10})")
_TAX_WEIGHTS: Final = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_INTERNET = re.compile(rf"[1-9]\d{{0,2}}(?:\.{_OCTET}){{3}}(?::\d{{1,5}})?")
_SEPARATORS = str.maketrans("", "", " ._-–·•\u00a0")


def is_internet(cell: str) -> bool:
    """A machine's address (IPv4), which digits in groups look like; a citizen's number begins with a zero."""
    return _INTERNET.fullmatch(cell.strip()) is not None


@lru_cache(maxsize=65_536)
def bare(cell: str) -> str:
    """Without blanks, dots, dashes and what ends a list or a dialled number, and without the apostrophe that keeps
    a number text in spreadsheets."""
    return cell.strip().lstrip("'`’").rstrip("#;,").translate(_SEPARATORS)


def is_citizen_id(cell: str, *, year: int) -> bool:
    """CCCD: province, sex with century, year of birth, six digits (Circular 59/2021 of the Ministry of Public
    Security). `year`: the present one; a leading zero that a spreadsheet took away is put back."""
    digits = bare(cell)
    if len(digits) == 11:
        digits = "0" + digits
    if len(digits) != 12 or not _numeric(digits) or digits[0] != "0" or digits[1:3] not in PROVINCES:
        return False
    born = 1900 + 100 * (int(digits[3]) // 2) + int(digits[4:6])
    return year - 125 <= born <= year and digits[6:] != "000000"


def could_be_citizen_id(cell: str, *, year: int) -> bool:
    """Of Hà Nội to Cao Bằng, whose two leading zeros a spreadsheet took away."""
    digits = bare(cell)
    return len(digits) == 10 and _numeric(digits) and is_citizen_id(f"00{digits}", year=year)


def is_old_citizen_id(cell: str) -> bool:
    """CMND: nine digits, of which the first ones name the province: 01 to 38, or 0 with two more."""
    digits = bare(cell)
    if len(digits) != 9 or not _numeric(digits) or len(set(digits)) < 3 or digits.endswith("0000"):
        return False
    return digits[0] in "012" or (digits[0] == "3" and digits[1] <= "8")


def is_tax_code(cell: str) -> bool:
    """MST: ten digits, the last one a check; a branch adds three (Circular 105/2020, Art. 5)."""
    text = cell.strip()
    digits = bare(text)
    if len(digits) == 13:
        if digits[10:] == "000":
            return False
        digits = digits[:10]
    if len(digits) != 10 or not _numeric(digits) or digits[2:9] == "0000000":
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_TAX_WEIGHTS, digits, strict=False))
    return 10 - total % 11 == int(digits[9])


def is_social_insurance(cell: str) -> bool:
    """BHXH: ten digits, the first two a province (Decision 346/2019 of VSS)."""
    digits = bare(cell)
    return len(digits) == 10 and _numeric(digits) and digits[:2] in PROVINCES and digits[2:7] != "00000"


def is_health_card(cell: str) -> bool:
    """BHYT: group, benefit level, province, BHXH number: fifteen signs."""
    found = _HEALTH_CARD.fullmatch(bare(cell).upper())
    return found is not None and found[1] in _CARD_OBJECTS and found[3] in PROVINCES


def is_plate(cell: str) -> bool:
    """A civil vehicle's registration: province, series, four or five digits."""
    text = _ASIDE.sub("", cell.strip().upper())
    if _FOREIGN_PLATE.fullmatch(text):
        return True
    found = _PLATE.fullmatch(text)
    return found is not None and found[1] >= "11" and found[1] not in _NO_PLATES


def could_be_plate(cell: str) -> bool:
    """Written as one, of a province that has no such number, or of the army."""
    text = _ASIDE.sub("", cell.strip().upper())
    return _PLATE.fullmatch(text) is not None or _ARMY_PLATE.fullmatch(text) is not None


def could_be_card(cell: str) -> bool:
    """Luhn, of an issuer that is not known here."""
    digits = bare(cell)
    return _numeric(digits) and 12 <= len(digits) <= 19 and len(set(digits)) > 3 and luhn(digits)


def is_passport(cell: str) -> bool:
    """A letter with seven digits, since 2022 with eight."""
    found = _PASSPORT.fullmatch(cell.strip().upper())
    return found is not None and len(set(found[2])) > 1


def could_be_passport(cell: str) -> bool:
    """Of any country: six to nine signs, mostly figures."""
    text = bare(cell).upper()
    figures = sum(sign.isdigit() for sign in text)
    return text.isascii() and text.isalnum() and 6 <= len(text) <= 9 and figures >= 5


def could_be_old_citizen_id(cell: str) -> bool:
    """Of Hà Nội or others below 10, whose leading zero a spreadsheet took away."""
    digits = bare(cell)
    return len(digits) == 8 and _numeric(digits) and is_old_citizen_id(f"0{digits}")


def is_bank_card(cell: str) -> bool:
    """Issuer's range and Luhn (ISO/IEC 7812)."""
    digits = bare(cell)
    return _numeric(digits) and _issued(digits) and len(set(digits)) > 3 and luhn(digits)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check of the others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _issued(digits: str) -> bool:
    first, length = digits[:4], len(digits)
    if first == "9704":
        return length in (16, 19)
    if length == 16:
        return (
            digits[0] == "4" or "51" <= digits[:2] <= "55" or "2221" <= first <= "2720"
            or "3528" <= first <= "3589"
            or digits[:2] in ("60", "62", "65")
        )  # fmt: skip
    return (length == 15 and digits[:2] in ("34", "37")) or (length in (13, 19) and digits[0] == "4")


def _numeric(digits: str) -> bool:
    return digits.isascii() and digits.isdigit()
