"""What can be wrong with a question to the log."""

from __future__ import annotations

from marketplace.errors import Problem


class OutsideLog(Problem):
    """A leaf or a size that the log does not have."""

    status = 400
    code = "log.outside"
