"""What can be wrong with the regulator's work."""

from __future__ import annotations

from marketplace.errors import Conflict


class NameTaken(Conflict):
    """The reader has a search of that name."""

    code = "search.name_taken"
