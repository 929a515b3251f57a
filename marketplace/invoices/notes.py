"""Issues a credit note and gives its money back, in the caller's unit of work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Operator
from marketplace.billing.refunds import charges_of, give_back
from marketplace.billing.split import vat_within
from marketplace.calendar import VIETNAM
from marketplace.db.base import new_id
from marketplace.faults import point
from marketplace.invoices.document import Correction, Document, Line
from marketplace.invoices.errors import CreditExceeds, NothingLeft
from marketplace.invoices.left import Left, left_of
from marketplace.invoices.numbering import lock_series, next_number, series_of
from marketplace.invoices.rounding import round_tax
from marketplace.invoices.writing import parties, write
from marketplace.ledger.actions import MAX_LINKED, Movement, transfers


async def issue_note(
    session: AsyncSession,
    *,
    invoice: Document,
    asked: Mapping[UUID, int],
    reason: str,
    by: Operator,
    at: datetime,
) -> Document:
    """A credit note of `asked` đồng of each use; the caller holds `lock_credits`.

    It is never dated before its invoice, whatever the clock says: it would be read without what it corrects.
    Raises CreditExceeds, NothingLeft.
    """
    at = max(at, invoice.issued_at)
    series = series_of("credit_note", at)
    await lock_series(session, series)
    every = await left_of(session, invoice.id)
    given = [one for one in every if one.source_id in asked]
    wanted = sum(asked[one.source_id] for one in given)
    possible = sum(min(asked[one.source_id], one.left_vnd) for one in given)
    if wanted > possible:
        raise CreditExceeds(asked_vnd=wanted, left_vnd=possible)
    if not given:
        raise NothingLeft
    seller, buyer = await parties(session, invoice.organisation_id)
    note = Document(
        id=new_id(),
        kind="credit_note",
        series=series,
        year=at.astimezone(VIETNAM).year,
        number=await next_number(session, series, at),
        organisation_id=invoice.organisation_id,
        period=invoice.period,
        issued_at=at,
        seller=seller,
        buyer=buyer,
        lines=tuple(_lines(invoice, every, asked)),
        corrects=Correction(
            invoice_id=invoice.id, series=invoice.series, number=invoice.number, issued_at=invoice.issued_at
        ),
        reason=reason,
    )
    await write(session, note, by=by)
    point("credit-written")
    returned_tax = await _give_back(session, note, given, asked)
    await round_tax(session, note, booked_vnd=returned_tax)
    return note


def _lines(invoice: Document, every: Sequence[Left], asked: Mapping[UUID, int]) -> Iterator[Line]:
    """The tax of a line is what the tax of its rest falls by, so that all notes together never exceed it."""
    position = 0
    for line in invoice.lines:
        uses = [one for one in every if one.line == (line.dataset_id, line.code, line.vat_permille)]
        here = [one for one in uses if one.source_id in asked]
        amount = sum(asked[one.source_id] for one in here)
        if not amount:
            continue
        position += 1
        left = sum(one.left_vnd for one in uses)
        said = "\n".join(f"{one.source_id} {asked[one.source_id]}" for one in here)
        yield msgspec.structs.replace(
            line,
            position=position,
            queries=len(here),
            bytes=0,
            gross_vnd=amount,
            vat_vnd=vat_within(left, line.vat_permille) - vat_within(left - amount, line.vat_permille),
            items_sha256=hashlib.sha256(said.encode()).hexdigest(),
        )


async def _give_back(
    session: AsyncSession, note: Document, given: Sequence[Left], asked: Mapping[UUID, int]
) -> int:
    """The money of each use; how much of it came out of the tax."""
    charges = await charges_of(session, {one.query_id for one in given})
    movements: list[Movement] = []
    tax = 0
    for one in given:
        charge = charges[one.query_id, one.dataset_id]
        returned = give_back(charge, asked[one.source_id], reference=note.name)
        if len(movements) + len(returned.movements) > MAX_LINKED:
            await transfers(session, movements)
            movements = []
        movements += returned.movements
        tax += returned.tax_vnd
    await transfers(session, movements)
    return tax
