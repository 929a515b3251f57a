"""Why a form cannot be given."""

from __future__ import annotations

from marketplace.errors import Problem


class NotAcceptable(Problem):
    """None of the forms that there are is among those asked for. Params: offered."""

    status = 406
    code = "feeds.not_acceptable"
