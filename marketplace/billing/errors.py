"""Why money is not moved or a party not admitted."""

from __future__ import annotations

from marketplace.errors import Conflict, Invalid


class AmountOutOfRange(Invalid):
    """Params: amount_vnd, least_vnd, most_vnd."""

    code = "wallet.amount_out_of_range"


class NoWallet(Invalid):
    """The organisation is no startup. Params: organisation_id."""

    code = "wallet.no_wallet"


class LineageSpent(Conflict):
    """Too little privacy budget is left for another agreement. Params: available_micro, needed_micro."""

    code = "agreement.lineage_spent"
