"""Time for decisions: a wall clock that was set back would make what is over valid again."""

from __future__ import annotations

import time

SLACK_MS = 2_000
"""What a clock that is being disciplined may go back by without anybody setting it."""


class ClockWentBack(Exception):
    """The wall clock is behind what this process, or what it stands on, has already seen."""

    def __init__(self, behind_ms: int) -> None:
        super().__init__(f"the clock is {behind_ms} ms behind what was seen before")
        self.behind_ms = behind_ms


class Clock:
    """Wall time that never goes back: held against the monotonic clock, and against an instant seen before."""

    def __init__(self, *, not_before_ms: int = 0, slack_ms: int = SLACK_MS) -> None:
        self._slack_ms = slack_ms
        self._wall_ms = max(_wall_ms(), not_before_ms)
        self._monotonic_ms = _monotonic_ms()

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. Raises ClockWentBack."""
        # Whoever reads them may be held up in between for seconds: the wall's reading lies between the other two.
        before_ms, wall_ms, after_ms = _monotonic_ms(), _wall_ms(), _monotonic_ms()
        expected_ms = self._wall_ms - self._monotonic_ms
        if (behind_ms := expected_ms + before_ms - wall_ms) > self._slack_ms:
            raise ClockWentBack(behind_ms)
        if expected_ms + after_ms < wall_ms:
            self._wall_ms, self._monotonic_ms = wall_ms, after_ms
        return wall_ms


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
