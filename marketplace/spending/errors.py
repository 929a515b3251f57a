"""Why a query does not enter though the wallet would pay for it."""

from __future__ import annotations

from marketplace.errors import Conflict, Invalid, Problem


class LimitReached(Problem):
    """A limit that the startup set itself. Params: scope (organisation | dataset | person), month_vnd, spent_vnd,
    needed_vnd."""

    status = 402
    code = "spending.limit_reached"


class PriceMoved(Conflict):
    """Others took the rest of the month's cap or of the trial while this query was priced, again and again."""

    code = "spending.price_moved"


class LimitScope(Invalid):
    """A limit is for all, for one dataset or for one person."""

    code = "spending.limit_scope"
