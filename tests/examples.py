"""How many examples a law is tried with: few with every change, SOAK_EXAMPLES times as many under `make soak`."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("SOAK_EXAMPLES", "1"))


def tried(few: int) -> int:
    """So many times what the tests try; new ones at each run, since Hypothesis draws them by chance."""
    return few * TIMES
