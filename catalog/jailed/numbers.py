"""Numbers as people write them: decimal points and commas, thousands in groups; one column, one meaning."""

from __future__ import annotations

import re

import pyarrow as pa
from pyarrow import compute

from catalog.reading import Decimal

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d{1,3})?")
_UNSURE_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_UNSURE_POINT = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
"""May as well be thousands."""
_MONEY = re.compile(r"(?i)\s*(?:đồng|đ|vnđ|vnd|₫)\.?$")
_GROUPED: dict[Decimal, re.Pattern[str]] = {
    "point": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"),
    "comma": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?"),
}
_WHOLE = re.compile(r"[+-]?\d{1,19}(\.0*)?")


class Style:
    """What the cells of one column have shown so far of how it writes numbers."""

    def __init__(self, declared: Decimal | None) -> None:
        self.declared = declared
        self.point = self.comma = self.sure_of_point = self.sure_of_comma = False

    @property
    def is_unclear(self) -> bool:
        """Whether a cell may have been read as a thousandth or a thousandfold of what is meant."""
        unsure = (self.comma and not self.sure_of_comma) or (self.point and not self.sure_of_point)
        return self.declared is None and (unsure or (self.comma and self.point))

    def saw_points(self, *, sure: bool) -> None:
        """A decimal point, such that it groups no thousands."""
        self.point = True
        self.sure_of_point |= sure

    def number(self, text: str) -> float | None:
        """None: it is none."""
        plain = self._plain(text)
        value = float(plain) if plain is not None else float("inf")
        return value if abs(value) < float("inf") else None

    def whole(self, text: str) -> int | None:
        """None: it is none, or not within 64 bits."""
        plain = self._plain(text)
        if plain is None or not _WHOLE.fullmatch(plain):
            return None
        value = int(plain.split(".", maxsplit=1)[0])
        return value if -(2**63) <= value < 2**63 else None

    def _plain(self, text: str) -> str | None:
        text = _MONEY.sub("", text)
        if self.declared is not None:
            return _declared(text, self.declared)
        if _NUMBER.fullmatch(text):
            if "." in text:
                self.saw_points(sure=not _UNSURE_POINT.fullmatch(text))
            return text
        if _COMMA.fullmatch(text):
            self.comma = True
            self.sure_of_comma |= not _UNSURE_COMMA.fullmatch(text)
            return text.replace(",", ".")
        for decimal in ("comma", "point"):
            if _GROUPED[decimal].fullmatch(text):
                self.comma |= decimal == "comma"
                self.sure_of_comma |= decimal == "comma"
                if decimal == "point":
                    self.saw_points(sure=True)
                return _declared(text, decimal)
        return None


def typed_text(value: float, declared: Decimal | None) -> str:
    """What a file holds as a number, as a column of texts has it: 1.234 is not to be taken for thousands."""
    text = repr(value)
    if _UNSURE_POINT.fullmatch(text):
        text += "0"
    return text.replace(".", ",") if declared == "comma" else text


def points(texts: pa.Array) -> pa.Array:
    """Of numbers with a decimal point: whether it can group no thousands."""
    pointed = texts.filter(compute.match_substring(texts, "."))
    return compute.invert(compute.match_substring_regex(pointed, f"^{_UNSURE_POINT.pattern}$"))


def _declared(text: str, decimal: Decimal) -> str | None:
    if _GROUPED[decimal].fullmatch(text):
        return text.replace(",", "") if decimal == "point" else text.replace(".", "").replace(",", ".")
    if decimal == "point":
        return text if _NUMBER.fullmatch(text) else None
    bare = "," not in text and "." not in text
    return text.replace(",", ".") if _COMMA.fullmatch(text) or (bare and _NUMBER.fullmatch(text)) else None
