"""An account of a startup or an owner between two days: opening, entries with the balance after each, closing."""

from __future__ import annotations

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.billing.reads import ACCOUNT_OF, OWN
from marketplace.billing.schemas import AccountEntry, AccountStatementView
from marketplace.calendar import span
from marketplace.errors import Forbidden
from marketplace.ledger.accounts import account_id
from marketplace.ledger.statements import statement


async def own_statement(
    session: AsyncSession, caller: Caller, *, first: date, last: date, cursor: str | None = None
) -> AccountStatementView:
    """A page of it, oldest entries first; days of Viet Nam, both included.

    Raises Forbidden for exchange and state, whose accounts are in the trial balance; Invalid for such days or such
    a cursor, NotFound if the account was never opened.
    """
    kind = ACCOUNT_OF[caller.organisation_kind]
    if kind not in OWN:
        raise Forbidden(needs="startup")
    since, until = span(first, last)
    found = await statement(
        session, account_id(caller.organisation_id, kind), since=since, until=until, cursor=cursor
    )
    return AccountStatementView(
        account=kind,  # type: ignore[arg-type]  # one of OWN
        first=first,
        last=last,
        opening_vnd=found.opening,
        closing_vnd=found.closing,
        # Whose account is on the other side is nobody's business.
        items=tuple(
            AccountEntry(
                id=line.id,
                at=line.at,
                kind=line.kind,  # type: ignore[arg-type]  # the table holds no other
                code=line.code,
                amount_vnd=line.amount,
                held_vnd=line.held,
                balance_vnd=line.balance,
                query_id=line.query_id,
                dataset_id=line.dataset_id,
                reference=line.reference,
            )
            for line in found.lines
        ),
        next=found.next,
    )
