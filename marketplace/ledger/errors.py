"""Why a transfer is not made."""

from __future__ import annotations

from marketplace.errors import Conflict, NotFound, Problem


class InsufficientFunds(Problem):
    """An account would go below its floor. Params: available_vnd, needed_vnd, missing_vnd."""

    status = 402
    code = "wallet.insufficient"


class BudgetShort(Conflict):
    """A privacy budget does not cover it. Params: available_micro, needed_micro, millionths of ρ."""

    code = "ledger.budget_short"


class TransferDiffers(Conflict):
    """The transfer's id came before with another body."""

    code = "ledger.transfer_differs"


class HoldResolved(Conflict):
    """The hold was posted or voided before, by another transfer."""

    code = "ledger.hold_resolved"


class NoAccount(NotFound):
    """An account or a hold of the transfer does not exist, or its currencies differ."""

    code = "ledger.no_account"
