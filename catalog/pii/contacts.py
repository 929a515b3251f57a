"""Telephone numbers and e-mail addresses."""

from __future__ import annotations

import re

import phonenumbers

from catalog.pii.digits import bare, is_internet

phonenumbers.PhoneMetadata.metadata_for_region("VN")  # read now: in the jail no file can be opened later

_PHONE = re.compile(r"\(?\+?[\d()\s._·•–-]{8,20}")
_SLASHED = re.compile(r"(0\d{2,3})/(\d{3})/(\d{3,4})")
_MAIL = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._%+'-]{0,62}[A-Za-z0-9_+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24})"
)
_FILES = frozenset([
    "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py", "pdf", "docx", "xlsx", "csv", "txt",
    "zip", "exe", "local", "localhost", "lan",
])  # fmt: skip
_BEFORE_2018 = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78", "123": "83", "124": "84", "125": "85",
    "127": "81", "129": "82", "186": "56", "188": "58", "199": "59",
} | {f"16{last}": f"3{last}" for last in range(2, 10)}  # fmt: skip
"""Mobile numbers of eleven digits and what they have become (Decision 798/QD-BTTTT of 2018)."""
_PERSONAL = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE})


def is_phone(cell: str) -> bool:
    """A number that the Vietnamese plan gives to a mobile or a fixed line, written 0…, 84… or +84…"""
    return national(cell) is not None


def national(cell: str) -> str | None:
    """The number as 0…; None for what is none."""
    digits = _digits(cell)
    if digits is None or digits[0] == "0":
        return None
    if len(digits) == 10:
        digits = _BEFORE_2018.get(digits[:3], digits[:3]) + digits[3:]
    number = phonenumbers.PhoneNumber(country_code=84, national_number=int(digits))
    return f"0{digits}" if phonenumbers.number_type(number) in _PERSONAL else None


def written_home(cell: str) -> str:
    """As it is dialled within the country; what is no telephone number as it is."""
    digits = _digits(cell)
    return bare(cell) if digits is None else f"0{digits}"


def is_dialled(cell: str) -> bool:
    """Any number of the length that is dialled, old area codes too."""
    digits = _digits(cell)
    return digits is not None and digits[0] != "0"


def could_be_phone(cell: str) -> bool:
    """A mobile number in a series that may not have been given out: enough in a column of telephone numbers."""
    digits = _digits(cell)
    return digits is not None and len(digits) == 9 and digits[0] in "35789"


def _digits(cell: str) -> str | None:
    """Without the country's code and the leading zero; None for what is not written as a telephone number."""
    text = _SLASHED.sub(r"\1 \2 \3", cell.strip().lstrip("'").rstrip("#;,"))
    if not _PHONE.fullmatch(text) or is_internet(text):
        return None
    digits = bare(text).replace("(", "").replace(")", "")
    plus = digits.startswith("+")
    digits = digits.lstrip("+")
    if digits.startswith("0084"):
        digits = digits[4:]
    elif digits.startswith("84") and (plus or len(digits) in (11, 12)):
        digits = digits[2:]
    elif plus:
        return None
    digits = digits.removeprefix("0")
    if not (9 <= len(digits) <= 10) or not digits.isascii() or not digits.isdigit() or len(set(digits)) < 3:
        return None
    return digits


def is_email(cell: str) -> bool:
    """A mailbox under a domain that could be one."""
    text = cell.strip().strip("<>;,").removeprefix("mailto:")
    found = _MAIL.fullmatch(text)
    return found is not None and found[1].lower() not in _FILES and ".." not in text
