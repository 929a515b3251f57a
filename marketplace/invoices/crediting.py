"""Credits: one person of the operator proposes what is given back of an invoice, another decides.

What is approved becomes a credit note, and the money goes back to the wallet, in one unit of work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.audit.actions import record
from marketplace.billing.split import divide
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound
from marketplace.faults import point
from marketplace.invoices.document import Document
from marketplace.invoices.early import bill_version
from marketplace.invoices.errors import (
    CreditDecided,
    CreditExceeds,
    NotAnInvoice,
    NothingLeft,
    SamePerson,
    VersionListed,
)
from marketplace.invoices.left import Left, left_of, lock_credits
from marketplace.invoices.models import Credit, CreditItem
from marketplace.invoices.notes import issue_note
from marketplace.invoices.reads import find

_LISTED = text("select from dataset where current_version_id = :version")
_TOUCHED = text("""
    select distinct i.invoice_id from usage u join invoice_item i on i.source_id = u.id
    where u.version_id = :version order by i.invoice_id
""")
_OF_VERSION = text("""
    select i.source_id from invoice_item i join usage u on u.id = i.source_id
    where i.invoice_id = :invoice and u.version_id = :version
""")


async def propose(
    session: AsyncSession,
    *,
    invoice_id: UUID,
    reason: str,
    by: Operator,
    at: datetime,
    credit_id: UUID | None = None,
    source_ids: Collection[UUID] | None = None,
    dataset_id: UUID | None = None,
    amount_vnd: int | None = None,
    version_id: str | None = None,
) -> UUID:
    """Propose to give back `amount_vnd` of these uses, of a line, or of the whole invoice; None: all that is left.

    An amount is divided in proportion to what is left of each use. Raises NotFound, NotAnInvoice, NothingLeft,
    CreditExceeds.
    """
    invoice = (await find(session, invoice_id, party=None)).document
    if invoice.kind != "invoice":
        raise NotAnInvoice(number=invoice.name)
    found = [
        one
        for one in await left_of(session, invoice_id)
        if one.left_vnd
        and (source_ids is None or one.source_id in source_ids)
        and (dataset_id is None or one.dataset_id == dataset_id)
    ]
    amounts = _amounts(found, amount_vnd)
    credit = {"id": credit_id or new_id(), "invoice_id": invoice_id, "reason": reason, "version_id": version_id}
    await session.execute(
        insert(Credit).values(**credit, state="proposed", proposed_by=by.person_id, proposed_at=at)
    )
    items = [
        {"credit_id": credit["id"], "source_id": one.source_id, "amount_vnd": amount}
        for one, amount in zip(found, amounts, strict=True)
        if amount
    ]
    await session.execute(insert(CreditItem), items)
    body = {"credit": str(credit["id"]), "invoice": str(invoice_id), "uses": len(items), "reason": reason}
    await _told(session, "credit:propose", invoice, by, sum(amounts), body)
    return UUID(str(credit["id"]))


async def propose_for_version(
    session: AsyncSession, *, version_id: str, reason: str, by: Operator, at: datetime
) -> tuple[UUID, ...]:
    """Propose to give back all that was charged for asking a version that is listed no more: a credit an invoice.

    What no invoice has yet is billed first. Raises VersionListed, NothingLeft if nothing is left of it.
    """
    if (await session.execute(_LISTED, {"version": version_id})).one_or_none() is not None:
        raise VersionListed(version_id=version_id)
    await bill_version(session, version_id=version_id, by=by, at=at)
    made = []
    for invoice_id in (await session.scalars(_TOUCHED, {"version": version_id})).all():
        uses = set(await session.scalars(_OF_VERSION, {"invoice": invoice_id, "version": version_id}))
        try:
            made.append(
                await propose(
                    session,
                    invoice_id=invoice_id,
                    reason=reason,
                    by=by,
                    at=at,
                    source_ids=uses,
                    version_id=version_id,
                )
            )
        except NothingLeft:
            continue
    if not made:
        raise NothingLeft
    return tuple(made)


async def decide(
    session: AsyncSession, *, credit_id: UUID, approve: bool, by: Operator, at: datetime
) -> Document | None:
    """The credit note if it is approved; the same decision again is harmless.

    Raises NotFound, SamePerson, CreditDecided, CreditExceeds.
    """
    credit = await session.scalar(select(Credit).where(Credit.id == credit_id).with_for_update())
    if credit is None:
        raise NotFound(what="credit")
    if credit.proposed_by == by.person_id:
        raise SamePerson
    asked_state = "approved" if approve else "refused"
    if credit.state == asked_state and credit.decided_by == by.person_id:
        return (await find(session, credit.note_id, party=None)).document if credit.note_id else None
    if credit.state != "proposed":
        raise CreditDecided(state=credit.state)
    await lock_credits(session, credit.invoice_id)  # before it is read: it may be being replaced
    at = max(at, utcnow())
    invoice = (await find(session, credit.invoice_id, party=None)).document
    note: Document | None = None
    if approve:
        asked = await _asked(session, credit_id)
        note = await issue_note(session, invoice=invoice, asked=asked, reason=credit.reason, by=by, at=at)
    else:
        body = {"credit": str(credit_id), "invoice": str(invoice.id)}
        await _told(session, "credit:refuse", invoice, by, None, body)
    await session.execute(
        update(Credit)
        .where(Credit.id == credit_id)
        .values(state=asked_state, decided_by=by.person_id, decided_at=at, note_id=note.id if note else None)
    )
    point("credit-before-commit")
    return note


async def _asked(session: AsyncSession, credit_id: UUID) -> dict[UUID, int]:
    """đồng of each use."""
    items = select(CreditItem.source_id, CreditItem.amount_vnd).where(CreditItem.credit_id == credit_id)
    return {row.source_id: row.amount_vnd for row in await session.execute(items)}


def _amounts(found: Sequence[Left], amount_vnd: int | None) -> list[int]:
    """Of each use; all that is left if no amount is given."""
    left = [one.left_vnd for one in found]
    if not left:
        raise NothingLeft
    if amount_vnd is None:
        return left
    if amount_vnd > sum(left):
        raise CreditExceeds(asked_vnd=amount_vnd, left_vnd=sum(left))
    return divide(amount_vnd, left)


async def _told(
    session: AsyncSession,
    name: str,
    invoice: Document,
    by: Operator,
    amount_vnd: int | None,
    body: Mapping[str, object],
) -> None:
    await record(
        session,
        name,
        by=by,
        parties=(invoice.organisation_id,),
        price_vnd=amount_vnd,
        body=body,
    )
