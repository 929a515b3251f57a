"""A service started as an operator starts it: what the tests fork off is ready too early, with memory shared."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.market import Market


class Cold:
    """A process with the face that a market needs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)


def cold(market: Market) -> Market:
    """The same, before its service is started."""
    return replace(market, begin=_start)


def _start(arguments: tuple[str, ...], environment: Mapping[str, str], output: Path) -> Cold:
    command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "marketplace.cli.main", *arguments]
    with output.open("ab") as log:
        return Cold(subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log))
