"""A line that says how far a query is: in a terminal on standard error, in a notebook below the cell."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress(Protocol):
    """Told again and again how a query stands, and once that it ended."""

    def show(self, state: str, share: float | None) -> None: ...

    def end(self) -> None: ...


class Silent:
    """Says nothing."""

    def show(self, state: str, share: float | None) -> None: ...

    def end(self) -> None: ...


def _line(began: float, state: str, share: float | None) -> str:
    elapsed_s = time.monotonic() - began
    sign = _FRAMES[int(elapsed_s * 8) % len(_FRAMES)]
    bar = "" if share is None else f" [{'█' * round(share * 20):<20}]"
    return f"{sign} {state}{bar} {elapsed_s:.1f} s"


class Terminal:
    """One line, written over."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def show(self, state: str, share: float | None) -> None:
        sys.stderr.write(f"\r\x1b[2K{_line(self._began, state, share)}")
        sys.stderr.flush()

    def end(self) -> None:
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


class Notebook:
    """One output below the cell, updated."""

    def __init__(self, display: Any) -> None:
        self._began = time.monotonic()
        self._display = display
        self._handle: Any = None

    def show(self, state: str, share: float | None) -> None:
        line = {"text/plain": _line(self._began, state, share)}
        if self._handle is None:
            self._handle = self._display(line, raw=True, display_id=True)
        else:
            self._handle.update(line, raw=True)

    def end(self) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)


def progress(wanted: bool | None) -> Progress:
    """What suits the place: `wanted` None decides by where we are, False says nothing."""
    if wanted is False:
        return Silent()
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and type(shell).__name__ == "ZMQInteractiveShell":
        return Notebook(sys.modules["IPython"].display.display)
    return Terminal() if wanted or sys.stderr.isatty() else Silent()
