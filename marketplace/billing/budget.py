"""Privacy budgets as accounts of the ledger, in millionths of ρ (zCDP): a lineage's cap, each agreement's share.

A lineage gets its cap once, when the first agreement on it is made; every agreement takes its share out of it, and
every query out of that share. Nothing flows back but a hold that was voided: a budget is never renewed, also not
by an agreement that ended without spending it.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.errors import LineageSpent
from marketplace.db.base import new_id
from marketplace.ledger.accounts import account_id, open_account
from marketplace.ledger.actions import PRIVACY as CURRENCY
from marketplace.ledger.actions import Movement, transfers
from marketplace.ledger.errors import BudgetShort

SOURCE, SPENT = "privacy_source", "privacy_spent"
"""Where caps come from, and where goes what queries told."""
_SPACE = UUID("5d1a0000-0000-8000-8000-c49000000000")


def cap_kind(lineage_id: UUID) -> str:
    """The kind of the account that holds what a lineage may still grant."""
    return f"privacy_cap:{lineage_id}"


def share_kind(agreement_id: UUID) -> str:
    """The kind of the account that holds what an agreement may still spend."""
    return f"privacy:{agreement_id}"


def share_account(agreement_id: UUID) -> UUID:
    """An agreement's account; it is open in dp mode only."""
    return account_id(None, share_kind(agreement_id), CURRENCY)


async def grant_budget(
    session: AsyncSession, *, lineage_id: UUID, agreement_id: UUID, cap_micro: int, share_micro: int
) -> None:
    """An agreement's whole budget, out of what its lineage has left. Raises LineageSpent."""
    for kind in (SOURCE, SPENT):
        await open_account(session, organisation_id=None, kind=kind, currency=CURRENCY)
    cap = await open_account(session, organisation_id=None, kind=cap_kind(lineage_id), currency=CURRENCY, floor=0)
    share = await open_account(
        session, organisation_id=None, kind=share_kind(agreement_id), currency=CURRENCY, floor=0
    )
    source = account_id(None, SOURCE, CURRENCY)
    # The same id each time, and the cap is the same for all versions and datasets of a lineage: made once for all.
    first = uuid5(_SPACE, str(lineage_id))
    once = Movement(id=first, kind="single", code="rho_cap", debit=source, credit=cap, amount=cap_micro)
    await transfers(session, [once])
    grant = Movement(id=new_id(), kind="single", code="rho_grant", debit=cap, credit=share, amount=share_micro)
    try:
        await transfers(session, [grant])
    except BudgetShort as short:
        raise LineageSpent(**short.params) from short


def budget_hold(*, query_id: UUID, agreement_id: UUID, rho_micro: int) -> Movement:
    """Sets aside what a query may tell."""
    return Movement(
        id=new_id(),
        kind="pending",
        code="rho_hold",
        debit=share_account(agreement_id),
        credit=account_id(None, SPENT, CURRENCY),
        amount=rho_micro,
        query_id=query_id,
    )


def budget_spent(*, hold_id: UUID, query_id: UUID) -> Movement:
    """Posts a query's hold: it ended inside the jail, so it told, or might have."""
    return Movement(id=new_id(), kind="post", code="rho_spend", hold_id=hold_id, query_id=query_id)


def budget_void(*, hold_id: UUID, query_id: UUID) -> Movement:
    """Gives a query's hold back: nothing was told."""
    return Movement(id=new_id(), kind="void", code="rho_void", hold_id=hold_id, query_id=query_id)
