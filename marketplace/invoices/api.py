"""`/api/v1/invoices`: what was billed, from the month's total down to each query; closing a month."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Operator
from marketplace.billing.reads import invoices as statements
from marketplace.billing.schemas import InvoiceList
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.invoices.closing import close_month
from marketplace.invoices.months import month_of
from marketplace.invoices.reads import head, list_invoices, read_invoice, read_items
from marketplace.invoices.schemas import CloseBody, InvoicePage, InvoiceView, ItemPage, Office
from marketplace.parameters import Limit


@get("/api/v1/invoices", operation_id="listStatements")
async def get_statements(
    caller: Caller, session: AsyncSession, months: Annotated[int, QueryParameter(ge=1, le=60)] = 12
) -> InvoiceList:
    """Statements by month: what each dataset cost a startup or earned an owner; totals for exchange and state.

    A startup's month names the invoices and credit notes that were issued on it.
    """
    caller.require("read")
    found = await statements(session, caller, months)
    if caller.organisation_kind != "startup":
        return InvoiceList(items=found)
    documents = (await list_invoices(session, caller, limit=200)).items
    return InvoiceList(
        items=tuple(
            msgspec.structs.replace(one, issued=tuple(d.id for d in documents if d.period == one.month))
            for one in found
        )
    )


@get("/api/v1/invoices/issued", operation_id="listInvoices")
async def get_invoices(
    caller: Caller,
    session: AsyncSession,
    period: str | None = None,
    office: Office | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> InvoicePage:
    """Numbered invoices and credit notes, newest first: a startup's own; operator and regulator see all."""
    caller.require("read")
    if period is not None:
        month_of(period)
    return await list_invoices(session, caller, period=period, office=office, cursor=cursor, limit=limit)


@get("/api/v1/invoices/{invoice_id:uuid}", operation_id="readInvoice")
async def get_invoice(caller: Caller, session: AsyncSession, invoice_id: UUID) -> InvoiceView:
    """One document: parties, lines, tax, and the credit notes on it."""
    caller.require("read")
    return await read_invoice(session, caller, invoice_id)


@get("/api/v1/invoices/{invoice_id:uuid}/items", operation_id="listInvoiceItems")
async def get_items(
    caller: Caller,
    session: AsyncSession,
    invoice_id: UUID,
    dataset_id: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> ItemPage:
    """Each use behind an invoice: its query, the decision it stood on, and where its receipt is."""
    caller.require("read")
    return await read_items(session, caller, invoice_id, dataset_id=dataset_id, cursor=cursor, limit=limit)


@post("/api/v1/invoices", operation_id="closeMonth")
async def post_close(data: CloseBody, operator: Operator, database: Database, config: Config) -> InvoicePage:
    """Issue the invoices of a month that is over; again issues nothing that is issued."""
    operator.require("money")
    issued = await close_month(
        database, period=data.period, at=utcnow(), close_after_s=config.invoice_close_after_s, by=operator
    )
    return InvoicePage(items=tuple(head(document) for document in issued), next=None)


handlers = [get_statements, get_invoices, get_invoice, get_items, post_close]
