"""Processes of ours, forked off one that has imported everything: imports are most of what a start costs.

What is asked of them is what `sandulieu` does with the same arguments, in a process of its own that can be killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

from marketplace import faults
from marketplace.cli.main import main

TIMEOUT_S = 120
FORKS = multiprocessing.get_context("forkserver")
IMPORTED = ("cli.serve", "cli.ledger", "web.app", "web.parts", "payments.stripe_provider")
# The list of all who fork: whoever sets it again takes it from the others.
FORKS.set_forkserver_preload(
    ["tests.forked", "tests.warmed", "tests.borrowed", *(f"marketplace.{name}" for name in IMPORTED)]
)


class Started(Protocol):
    """A process of ours, as a market looks after it."""

    @property
    def pid(self) -> int | None:
        """None before it is started."""

    def is_alive(self) -> bool:
        """Whether it has not ended."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most so many seconds."""


Begin = Callable[[tuple[str, ...], Mapping[str, str], Path], Started]
"""Arguments of `sandulieu`, environment, and the file that what is printed is added to."""


def start(arguments: tuple[str, ...], environment: Mapping[str, str], output: Path) -> ForkServerProcess:
    """Begin `sandulieu …`; what it prints is added to `output`. It ends when we do, even if we are killed."""
    return _start(arguments, environment, output, output)


def run(arguments: tuple[str, ...], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """`sandulieu …` from its beginning to its end, as subprocess.run would tell of it."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = _start(arguments, environment, output, errors)
        process.join(TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, TIMEOUT_S)
        return subprocess.CompletedProcess(arguments, process.exitcode, output.read_text(), errors.read_text())


def _start(
    arguments: tuple[str, ...], environment: Mapping[str, str], output: Path, errors: Path
) -> ForkServerProcess:
    given = (arguments, {**os.environ, **environment}, output, errors)
    process = FORKS.Process(target=_run, args=given, daemon=True)  # at our end it is ended, not waited for
    process.start()
    return process


def _run(arguments: tuple[str, ...], environment: Mapping[str, str], output: Path, errors: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, output), (2, errors)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    faults.FAULT = environment.get("SANDULIEU_FAULT")
    _take_what_was_made()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv[1:] = arguments
    sys.exit(main(list(arguments)))


def _take_what_was_made() -> None:
    # Not above: whoever only starts processes need neither import nor make it.
    from marketplace.web import app
    from tests import borrowed, warmed

    borrowed.keep()
    app.create_app = warmed.create_app


def _end_with_parent() -> None:
    """Whoever started a service may be killed, and then nobody is left to stop it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
