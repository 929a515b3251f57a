"""Folding of cells: each is asked about by a dozen recognisers and folded once."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from catalog import search


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """As `catalog.search.fold`."""
    return search.fold(text)


_ODD: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\uff01-\uff5e\U000e0001-\U000e007f]|(?![0-9])\\d"
)


_ETH: Final = str.maketrans("ÐðƉɖ", "ĐđĐđ")
"""Other letters that look like Đ, and that old keyboards gave for it."""


def as_seen(text: str) -> str:
    """Composed (NFC), full-width signs and other digits as ASCII, without signs that nobody sees (of no width)."""
    return text if text.isascii() else unicodedata.normalize("NFC", _ODD.sub(_seen, text)).translate(_ETH)


def _seen(found: re.Match[str]) -> str:
    sign = found[0]
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    return unicodedata.normalize("NFKC", sign) if "\uff01" <= sign <= "\uff5e" else ""
