"""Named points at which a test may have the real process killed (SANDULIEU_FAULT=<name>); else nothing."""

from __future__ import annotations

import os
import signal

FAULT = os.environ.get("SANDULIEU_FAULT")


def point(name: str) -> None:
    """Die here by SIGKILL if the environment names this point."""
    if name == FAULT:
        os.kill(os.getpid(), signal.SIGKILL)
