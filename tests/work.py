"""Work counted, not timed: what takes too long on a quiet machine calls too much on a busy one too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_PROBE = ("slipcover.probe", "signal")
"""What a covered line calls: once it was met often that looks through all code, in a million calls of its own."""


class TooMuchWork(BaseException):
    """No handler of errors on the way may take it for one of its own."""


@contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Break off whatever calls more functions than this, Python's or C's, in this thread."""
    left = calls
    covering = False

    def count(_frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left, covering
        if (getattr(argument, "__module__", None), getattr(argument, "__name__", None)) == _PROBE:
            covering = event == "c_call"
        left -= event in {"call", "c_call"} and not covering
        if left < 0:
            raise TooMuchWork(f"more than {calls} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
