"""Why a job gives no answer, in the few words that may leave the jail."""

from __future__ import annotations

from typing import Literal

Word = Literal["done", "engine", "memory", "too_many_rows", "too_many_bytes", "too_many_steps"]


class Refused(Exception):
    """A job's code raises this to end with that outcome; any other exception ends as `engine`."""

    def __init__(self, outcome: Word) -> None:
        super().__init__(outcome)
        self.outcome = outcome
