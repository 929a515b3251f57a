"""Part of `make soak`: SOAK_ANSWERS answers with changed bytes, read as the broker reads what a jail wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import time

ANSWERS = int(os.environ.get("SOAK_ANSWERS", "1000000"))
SEED = int(os.environ.get("SOAK_SEED", str(time.time_ns() % 1_000_000)))
_A_PROCESS = 20_000


def main() -> int:
    """0 when none ended its reader; else its seed is told, which makes the same answers again."""
    print(f"soak of answers: SOAK_ANSWERS={ANSWERS} SOAK_SEED={SEED}", flush=True)
    for seed in range(SEED, SEED + max(1, ANSWERS // _A_PROCESS)):
        asked = [sys.executable, "-m", "tests.attack.mutated", str(seed), str(_A_PROCESS)]
        ended = subprocess.run(asked, stdout=subprocess.DEVNULL, check=False).returncode
        if ended:
            print(f"{' '.join(asked[1:])}: {ended}")
            return 1
    return 0
