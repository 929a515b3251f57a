"""A refusal inside a jail: it becomes the reply's `refusal`."""

from __future__ import annotations

from typing import Any

from catalog.wire import Refusal


class Refused(Exception):
    """`params`: numbers, names of columns, lines; never a cell."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, params)
