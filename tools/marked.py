"""Our modules with their branches marked, as slipcover probes them, kept beside Python's own compiled ones.

Marking a module takes several times as long as importing it, and every worker of every run would do it again.
"""

from __future__ import annotations

import ast
import marshal
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from slipcover import Slipcover, __version__
from slipcover.branch import preinstrument

_KIND = f"{sys.implementation.cache_tag}.marked-{__version__}.pyc"


@dataclass(frozen=True)
class Marked:
    """A module's code without probes yet, and what of it can be run."""

    code: CodeType
    lines: frozenset[int]
    branches: frozenset[tuple[int, int]]


def marked(file: Path) -> Marked:
    """Of an absolute path: as it was kept, or made and kept if the file has changed since."""
    return _kept(file) or _made(file)


def mark_all(files: Iterable[Path]) -> None:
    """Makes what is not kept yet, on every core."""
    missing = [file for file in files if _kept(file) is None]
    if missing:
        with ProcessPoolExecutor() as cores:
            list(cores.map(_keep, missing, chunksize=8))


def _kept(file: Path) -> Marked | None:
    try:
        stamp, code, lines, branches = marshal.loads(_place(file).read_bytes())  # noqa: S302  # we wrote it
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return Marked(code, lines, branches) if stamp == _stamp(file) else None


def _made(file: Path) -> Marked:
    stamp = _stamp(file)
    code = compile(preinstrument(ast.parse(file.read_bytes())), str(file), "exec")
    lines, branches = frozenset(Slipcover.lines_from_code(code)), frozenset(Slipcover.branches_from_code(code))
    if not sys.dont_write_bytecode:
        place = _place(file)
        place.parent.mkdir(exist_ok=True)
        own = place.with_suffix(f".{os.getpid()}")
        own.write_bytes(marshal.dumps((stamp, code, lines, branches)))
        own.replace(place)  # whoever reads meanwhile reads a whole one
    return Marked(code, lines, branches)


def _keep(file: Path) -> None:
    _made(file)


def _place(file: Path) -> Path:
    return file.parent / "__pycache__" / f"{file.stem}.{_KIND}"


def _stamp(file: Path) -> tuple[str, int, int]:
    """The path is in the code, for whoever reads a traceback."""
    seen = file.stat()
    return str(file), seen.st_mtime_ns, seen.st_size
