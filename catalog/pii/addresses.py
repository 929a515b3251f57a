"""Addresses, in the form before 1 July 2025 (ward, district, province) and after (ward, province)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from catalog.pii.folding import fold
from catalog.pii.provinces import WARDS, current_province
from catalog.pii.syllables import FAMOUS

_UNIT: Final = re.compile(
    r"(?:phuong|xa|thi tran|quan|huyen|thi xa|thanh pho|tinh|dac khu|ward|commune|district|dist|province|"
    r"city)\s+\S|"
    r"(?:[pqxh]|tp|tx|tt|kp|kdt|kcn)\s?[.]\s?\S|[pq]\s?\d{1,2}\b|(?:p|q|tp|tx|tt|x|h)\s[a-z]{2,}|\S+\s(?:ward|"
    r"district|commune|province|city)\b"
)
_SMALL: Final = re.compile(
    r"(?:thon|ap|to|xom|ban|buon|khu pho|khu|kp|to dan pho|tdp|doi|so|so nha|sn|ngo|ngach|hem|kiet|lo|can ho|"
    r"can|phong|"
    r"tang|toa|block|chung cu|cc|kcn|ccn|khu cong nghiep|nha xuong|"
    r"kdt|khu do thi|khu tap the|ktt|khoi|duong|pho|dai lo|quoc lo|ql|tinh lo|tl|km|"
    r"street|st|road|villa|biet thu)\b"
)
_HOUSE: Final = re.compile(
    r"(?:so nha|so|sn|nha so|"
    r"no\.?)?\s?(?:lo\s)?[a-z]?\d{1,4}(?:[a-z]|bis)?(?:\s?[-/]\s?\d{1,4}[a-z]?){0,4}(?:\s?[a-z]\d{0,2})?"
    r"(?:,\s*|\s+)(?:(?:duong|pho|ngo|hem|ngach|kiet|to|ap|thon|khu pho|kp)\s+)?(\S.*)"
)
_NAMED_STREET: Final = re.compile(
    r"(?:so (?:nha )?)?[a-z]?\d{1,4}[a-z]?(?:/\d{1,4}){0,4},? (?:[a-z]+ \d{1,4} )?"
    r"(?:duong|pho|ngo|hem|ngach|kiet) \S.*"
)
_UNITS_SAID: Final = re.compile(
    r"\b(?:phuong|xa|quan|huyen|thi xa|thi tran|thanh pho|tinh|tp)\b|\b[pq]\.?\s?\d{1,2}\b"
)
_DATES: Final = re.compile(
    r"\b(?:30 thang 4|3 thang 2|2 thang 9|19 thang 5|cach mang thang (?:8|tam)|30/4|3/2|2/9)\b"
)
"""Streets that are called after a day."""
_POSTCODE: Final = re.compile(r"[\s,]+\d{5,6}$|,?\s*(?:viet nam|vietnam|vn)\.?$")
_OFFICE: Final = re.compile(
    r"(?:ubnd|uy ban|cong an|ca|cuc|chi cuc|so (?!\d)|phong (?!\d)|toa an|benh vien|bv|kho bac|truong)\b"
)
"""Named by the place in which it sits; where it stands it does not say."""
_LONG: Final = re.compile(r"\d{6}")
_UNLIKE: Final = re.compile(
    r"\b(?:kg|gr|gram|ml|lit|hop|chai|goi|cai|chiec|bo|trang|ngay|gio|phut|don|hang|giao|mua|"
    r"\d+ (?:thang|ban|gia|an)|\d+ dong(?![a-z ])|"
    r"khuyen mai|"
    r"giam|san pham|ma|vnd|usd|nguoi|lan|diem|mau|size|loai|uong|banh|nuoc|phien ban|the he|inch|gb|tb|"
    r"mm|cm)\b"
)


@lru_cache(maxsize=65_536)
def parts(cell: str) -> tuple[int, int]:
    """How many pieces name an administrative unit, and how many a place within one (house, street, hamlet)."""
    if len(cell) > 250:
        return 0, 0
    units = places = 0
    text = _POSTCODE.sub("", fold(cell.replace("\n", ", ")))
    pieces = [piece.strip() for piece in re.split(r"[,;]|\s[-–|]\s", text) if piece.strip()]
    if len(pieces) > 9:
        return 0, 0
    for piece in pieces:
        if current_province(piece) or _UNIT.match(piece) or (len(pieces) > 1 and piece in WARDS):
            units += 1
        elif (
            _is_house(piece)
            or (_SMALL.match(piece) and not _UNLIKE.search(piece))
            or (len(pieces) > 1 and piece in FAMOUS)
        ):
            places += 1
    return units, places


def _is_house(piece: str) -> bool:
    piece = _DATES.sub("le loi", piece)
    found = _HOUSE.fullmatch(piece)
    return found is not None and not _UNLIKE.search(piece) and any(c.isalpha() for c in found[1])


@lru_cache(maxsize=65_536)
def is_address(cell: str) -> bool:
    """A place down to the ward at least, within a unit that is named; or a house in a street that is known."""
    units, places = parts(cell)
    if units and places:
        return True
    if units >= 2:
        return True
    return (places > 0 and _known_street(fold(cell))) or _unpunctuated(fold(cell))


def _known_street(text: str) -> bool:
    found = _HOUSE.fullmatch(text.split(",", maxsplit=1)[0].strip())
    if found is None or _UNLIKE.search(text):
        return False
    if _NAMED_STREET.fullmatch(text) and len(text.split()) <= 10:
        return True
    street = re.sub(r"^(?:duong|pho)\s+", "", found[1])
    return street in FAMOUS


def _unpunctuated(text: str) -> bool:
    """ "so 5 ngo 12 lang ha phuong lang ha quan dong da ha noi": no comma anywhere."""
    text = _POSTCODE.sub("", text)
    words = text.split()
    if "," in text or len(words) > 30 or _OFFICE.match(text):
        return False
    tail = next((n for n in (4, 3, 2) if len(words) > n + 1 and current_province(" ".join(words[-n:]))), 0)
    tail = tail or int(words[-1:] in (["hcm"], ["tphcm"], ["hcmc"]))
    ends = tail > 0
    units = len(_UNITS_SAID.findall(" ".join(words[: len(words) - tail]) if ends else text))
    return (ends and units >= 1) or (units >= 2 and (ends or bool(_HOUSE.match(text))))


def looks_like_address(cell: str) -> bool:
    """Enough in a column that holds addresses anyway: a house with a street, or any unit with a place."""
    if is_address(cell):
        return True
    units, places = parts(cell)
    text = fold(cell)
    return (
        units + places > 0
        and not (units == 1 and places == 0 and current_province(cell) is not None)
        and (places > 0 or "," in text)
    )


def is_area(cell: str) -> bool:
    """A province or ward, or one within the other, with no place in it."""
    text = fold(cell)
    units, places = parts(cell)
    if current_province(cell) or (units >= 2 and places == 0 and not _LONG.search(text)):
        return True
    for kind in ("phuong ", "xa ", "dac khu ", "thi tran ", "quan ", "huyen ", "thi xa ", "thanh pho "):
        if text.startswith(kind) and "," not in text and len(text) < 40:
            return text.removeprefix(kind) in WARDS or kind in ("quan ", "huyen ", "thi xa ")
    return False
