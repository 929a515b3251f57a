"""Why a transfer is not made. Params of all: transfer_id, and line, its place in the linked group, from 1."""

from __future__ import annotations

from marketplace.errors import Conflict, NotFound, Problem


class InsufficientFunds(Problem):
    """An account would go below its floor. Params: available_vnd, needed_vnd, missing_vnd."""

    status = 402
    code = "wallet.insufficient"


class FundsShort(Problem):
    """The same of another currency than đồng. Params: currency, available, needed, in its smallest unit."""

    status = 402
    code = "wallet.short"


class BudgetShort(Conflict):
    """A privacy budget does not cover it. Params: available_micro, needed_micro, millionths of ρ."""

    code = "ledger.budget_short"


class TransferDiffers(Conflict):
    """The transfer's id came before with another body."""

    code = "ledger.transfer_differs"


class AtOnce(Conflict):
    """Somebody else is making the same transfer, or resolving the same hold, at this moment."""

    code = "ledger.at_once"


class HoldResolved(Conflict):
    """The hold was posted or voided before, by another transfer."""

    code = "ledger.hold_resolved"


class HoldExpired(Conflict):
    """The hold's time is over: it can be voided, not posted."""

    code = "ledger.hold_expired"


class OverHold(Conflict):
    """A post asks for more than was held."""

    code = "ledger.over_hold"


class NoAccount(NotFound):
    """An account or a hold of the transfer does not exist."""

    code = "ledger.no_account"


class CurrencyMixed(Conflict):
    """The transfer's two accounts are of different currencies."""

    code = "ledger.currency_mixed"


class PeriodClosed(Conflict):
    """The transfer would count in a period that is closed."""

    code = "ledger.period_closed"


class PeriodMalformed(Problem):
    """A period is not YYYY-MM. Params: period."""

    code = "ledger.period_malformed"


class PeriodNotOver(Conflict):
    """A period cannot be closed yet. Params: period, until: from when on it can."""

    code = "ledger.period_not_over"


class BooksUnbalanced(Conflict):
    """Debits and credits of a currency differ: the books were changed past the ledger. Params: currency, debits,
    credits."""

    code = "ledger.unbalanced"
