"""Why an invoice or a credit is not made."""

from __future__ import annotations

from marketplace.errors import Conflict


class MonthNotOver(Conflict):
    """The month runs, or ended so recently that queries of it may still be settled. Params: period, from."""

    code = "invoice.month_not_over"


class NoSeller(Conflict):
    """Nobody runs the exchange yet, so nobody can issue an invoice."""

    code = "invoice.no_seller"
