"""A refusal inside a jail: it becomes the reply's `refusal`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from catalog.wire import Refusal


class Refused(Exception):
    """`params`: numbers, names of columns, lines; never a cell."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, params)


def shown(names: Iterable[str]) -> str:
    """Up to 20 names of columns, for people: cut short; what hides or turns the reading direction is told."""
    told = ("".join(c if unicodedata.category(c)[0] != "C" else f"\\u{ord(c):04x}" for c in n[:80]) for n in names)
    return ", ".join(list(told)[:20])
