"""A verb in one unit of work, in a process of its own that is killed at a named point."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import marketplace.tables  # noqa: F401  # every foreign key finds its table
from marketplace import faults
from marketplace.db.engine import Database
from tests.forked import FORKS

Verb = Callable[..., Coroutine[Any, Any, object]]


def killed_at(point: str, verb: Verb, url: str, *about: Any) -> bool:
    """Whether `verb(database, *about)`, a function of a module, came to the point and died there."""
    child = FORKS.Process(target=_run, args=(point, verb, url, about))
    child.start()
    child.join(120)
    return child.exitcode == -signal.SIGKILL


def _run(point: str, verb: Verb, url: str, about: tuple[Any, ...]) -> None:
    faults.FAULT = point
    asyncio.run(verb(Database(url, connections=4), *about))
