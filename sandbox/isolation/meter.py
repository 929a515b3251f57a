"""What a child of a jail used, read by the broker from the kernel: nothing in the jail is asked."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROCESS_CLOCK = 2
_NO_CLOCK = -1


class Meter:
    """Begins at the moment it is made; a child that is gone reads as zero."""

    def __init__(self, pidfd: int) -> None:
        pid = _pid(pidfd)
        self._folder = Path(f"/proc/{pid}")
        # Linux: the clock of another process's processor time (clock_getcpuclockid(3)).
        # Of one that is gone (-1) that would be our own.
        self._clock = (~pid << 3) | _PROCESS_CLOCK if pid > 0 else _NO_CLOCK
        self._start_ns = self._processor_ns()

    def cpu_us(self) -> int:
        """Processor time since the start, all threads."""
        return max(0, self._processor_ns() - self._start_ns) // 1_000

    def peak_memory_bytes(self) -> int:
        """The most memory it ever held, what it shares with the warm process included."""
        try:
            found = re.search(r"^VmHWM:\s+(\d+) kB$", (self._folder / "status").read_text(), re.MULTILINE)
        except OSError:
            return 0
        return int(found[1]) * 1_024 if found else 0

    def memory_bytes(self) -> int:
        """The memory it holds now."""
        try:
            return int((self._folder / "statm").read_text().split()[1]) * _PAGE_BYTES
        except (OSError, IndexError):
            return 0

    def _processor_ns(self) -> int:
        try:
            return time.clock_gettime_ns(self._clock)
        except OSError:
            return 0


def _pid(pidfd: int) -> int:
    text = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    found = re.search(r"^Pid:\s+(-?\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else -1
