"""What a command meets outside of it, told in words and not as where in the code it was met."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from marketplace.cli.telling import tell

_OF_DATABASES = ("sqlalchemy", "psycopg", "psycopg_pool")
_NO_SUCH_TABLE = "42P01"


def tell_trouble(error: Exception) -> bool:
    """A file that cannot be read or written, a database that is away or empty; False for anything else."""
    if isinstance(error, OSError):
        tell("command.file", {"path": error.filename or "-", "why": error.strerror or type(error).__name__})
        return True
    if type(error).__module__.partition(".")[0] not in _OF_DATABASES:
        return False
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None)
    if state == _NO_SUCH_TABLE:
        tell("command.no_tables", {})
    elif state is None:
        tell("command.no_database", {"why": str(origin).strip().partition("\n")[0]})
    else:
        return False
    return True


def write_what_can_be_written() -> None:
    """A terminal that has no Vietnamese letters gets them as numbers, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def require_writable(file: Path) -> None:
    """Before what costs or is logged is asked for. Raises OSError."""
    there = file.exists()
    if there and not file.is_file():
        return
    with file.open("ab"):
        pass
    if not there:
        file.unlink()
