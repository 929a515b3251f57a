"""Numbers as people write them: decimal points and commas, thousands in groups; one column, one meaning."""

from __future__ import annotations

import re
from typing import Literal

Decimal = Literal["point", "comma"]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d{1,3})?")
_UNSURE_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""May as well be thousands."""
_GROUPED: dict[Decimal, re.Pattern[str]] = {
    "point": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"),
    "comma": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?"),
}
_WHOLE = re.compile(r"[+-]?\d{1,19}(\.0*)?")


class Style:
    """What the cells of one column have shown so far of how it writes numbers."""

    def __init__(self, declared: Decimal | None) -> None:
        self.declared = declared
        self.point = self.comma = self.sure_of_comma = False

    @property
    def is_unclear(self) -> bool:
        """Whether a cell may have been read as a thousandth or a thousandfold of what is meant."""
        return self.declared is None and self.comma and (self.point or not self.sure_of_comma)

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
        if self.declared is not None:
            return _declared(text, self.declared)
        if _NUMBER.fullmatch(text):
            self.point |= "." in text
            return text
        if _COMMA.fullmatch(text):
            self.comma = True
            self.sure_of_comma |= not _UNSURE_COMMA.fullmatch(text)
            return text.replace(",", ".")
        for decimal in ("comma", "point"):
            if _GROUPED[decimal].fullmatch(text):
                self.comma |= decimal == "comma"
                self.sure_of_comma |= decimal == "comma"
                self.point |= decimal == "point"
                return _declared(text, decimal)
        return None


def _declared(text: str, decimal: Decimal) -> str | None:
    if _GROUPED[decimal].fullmatch(text):
        return text.replace(",", "") if decimal == "point" else text.replace(".", "").replace(",", ".")
    if decimal == "point":
        return text if _NUMBER.fullmatch(text) else None
    bare = "," not in text and "." not in text
    return text.replace(",", ".") if _COMMA.fullmatch(text) or (bare and _NUMBER.fullmatch(text)) else None
