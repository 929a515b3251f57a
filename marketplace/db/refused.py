"""A refusal that is on record though all that was done is undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marketplace.db.together import Statement
from marketplace.errors import Problem


class Refused(Problem):
    """Raised through `Database.session`, it undoes the unit of work and then writes `writes`: in a short
    transaction of its own, when no lock and no other connection is held."""

    def __init__(self, writes: Sequence[Statement], **params: Any) -> None:
        super().__init__(**params)
        self.writes = writes
