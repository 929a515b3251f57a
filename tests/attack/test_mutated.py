"""No answer, whatever was changed in it, ends who reads it."""

from __future__ import annotations

import subprocess
import sys


def test_an_answer_with_changed_bytes_is_refused_or_read_and_ends_nobody() -> None:
    asked = [sys.executable, "-m", "tests.attack.mutated", "1", "6000"]
    read = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")
    assert "6000 answers" in read.stdout
