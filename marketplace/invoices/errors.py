"""Why an invoice or a credit is not made."""

from __future__ import annotations

from marketplace.errors import Conflict


class MonthNotOver(Conflict):
    """The month runs, or ended so recently that queries of it may still be settled. Params: period, from."""

    code = "invoice.month_not_over"


class MonthStuck(Conflict):
    """A close, of the month or one before it, found what has to be mended first. Params: period, stuck, step."""

    code = "invoice.month_stuck"


class NoSeller(Conflict):
    """Nobody runs the exchange yet, so nobody can issue an invoice."""

    code = "invoice.no_seller"


class NothingLeft(Conflict):
    """All of what is to be credited was given back before, or there is no such use on the invoice."""

    code = "credit.nothing_left"


class CreditExceeds(Conflict):
    """More is to be given back than is left. Params: asked_vnd, left_vnd."""

    code = "credit.exceeds"


class CreditDecided(Conflict):
    """The credit was decided before. Params: state."""

    code = "credit.decided"


class SamePerson(Conflict):
    """Who proposed does not decide."""

    code = "credit.same_person"


class VersionListed(Conflict):
    """The version is the one that is asked today; it was not withdrawn. Params: version_id."""

    code = "credit.version_listed"


class NotAnInvoice(Conflict):
    """A credit note is not credited. Params: number."""

    code = "credit.not_an_invoice"
