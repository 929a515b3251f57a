"""Part of `make soak`: every law of the tests, with SOAK_EXAMPLES times the examples that the tests try."""

from __future__ import annotations

import os
import subprocess
import sys

EXAMPLES = os.environ.get("SOAK_EXAMPLES", "10")


def main() -> int:
    """0 when no example broke a law."""
    print(f"soak of laws: SOAK_EXAMPLES={EXAMPLES}", flush=True)
    asked = [sys.executable, "-m", "pytest", "-m", "hypothesis", "--timeout=0", "tests"]
    return subprocess.run(asked, env=os.environ | {"SOAK_EXAMPLES": EXAMPLES}, check=False).returncode
