"""Invoices as their parties see them: a startup its own, operator and regulator all, an owner none."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.errors import Forbidden, NotFound
from marketplace.invoices.document import Correction, Document, Line, Party
from marketplace.invoices.schemas import (
    InvoiceHead,
    InvoicePage,
    InvoiceView,
    ItemPage,
    ItemView,
    LineView,
    Office,
)

EDITED = ("series", "year", "number", "seller_name", "buyer_name", "sha256", "issued_at")
"""What an edition may say otherwise, beside tax codes."""
EDITIONS = """
    select id as invoice_id, 1 as edition, series, number, issued_at, issued_at as made_at from invoice
    union all select invoice_id, edition, series, number, issued_at, made_at from invoice_edition
"""
_OFFICE = """
    (select o.state from einvoice o where o.invoice_id = i.id and o.edition = coalesce(e.edition, 1))
"""
_HEAD = f"""
    i.id, i.kind, i.organisation_id,
    coalesce(e.series, i.series) || '-' || lpad(coalesce(e.number, i.number)::text, 8, '0') as number,
    coalesce(e.buyer_name, i.buyer_name) as buyer_name, i.period, coalesce(e.issued_at, i.issued_at) as issued_at,
    i.gross_vnd - i.vat_vnd as net_vnd, i.vat_vnd, i.gross_vnd, i.corrects_id, {_OFFICE} as office
"""
_NEWEST = """
    invoice i left join lateral (select * from invoice_edition x where x.invoice_id = i.id
        order by x.edition desc limit 1) e on true
"""
_LIST = text(f"""
    select {_HEAD} from {_NEWEST}
    where (cast(:party as uuid) is null or i.organisation_id = :party)
    and (cast(:period as text) is null or i.period = :period)
    and (cast(:office as text) is null or {_OFFICE} = :office) and i.id < :before order by i.id desc limit :rows
""")
_NOTES = text(f"select {_HEAD} from {_NEWEST} where i.corrects_id = :id order by i.id")
_ONE = text(f"""
    select i.id, i.kind, i.organisation_id, i.period, i.corrects_id, i.reason,
           {", ".join(f"coalesce(e.{each}, i.{each}) as {each}" for each in EDITED)},
           case when e.id is null then i.seller_tax_code else e.seller_tax_code end as seller_tax_code,
           case when e.id is null then i.buyer_tax_code else e.buyer_tax_code end as buyer_tax_code,
           coalesce(e.edition, 1) as edition, c.series as corrects_series, c.number as corrects_number,
           c.issued_at as corrects_issued_at, r.series as replaces_series, r.number as replaces_number,
           r.issued_at as replaces_issued_at
    from {_NEWEST}
    left join lateral (select f.* from ({EDITIONS}) f
        where f.invoice_id = i.corrects_id and (f.edition = 1 or f.made_at <= i.issued_at)
        order by f.edition desc limit 1) c on true
    left join lateral (select f.* from ({EDITIONS}) f where e.id is not null and f.invoice_id = i.id
        and (f.series, f.number) <> (e.series, e.number) order by f.edition desc limit 1) r on true
    where i.id = :id and (cast(:party as uuid) is null or i.organisation_id = :party)
""")
_LINES = text("select * from invoice_line where invoice_id = :id order by position")
_ITEMS = text("""
    select i.source_id as id, coalesce(u.at, c.at) as at, i.code, c.period, i.query_id, i.dataset_id,
           l.decision_id, i.vat_permille, i.gross_vnd, '/api/v1/queries/' || i.query_id || '/receipt' as receipt
    from invoice_item i left join usage u on u.id = i.source_id left join charge c on c.id = i.source_id
    left join query_line l on l.query_id = i.query_id and l.agreement_id = u.agreement_id
    where i.invoice_id = :id and (cast(:dataset as uuid) is null or i.dataset_id = :dataset)
    and i.source_id > :after order by i.source_id limit :rows
""")
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)


class Found(Struct, frozen=True):
    """A document and the hash that was written with it."""

    document: Document
    sha256: str


def party_of(caller: Caller) -> UUID | None:
    """Whose invoices a caller may see; None: all. Raises Forbidden for owners, who have statements."""
    if caller.organisation_kind == "owner":
        raise Forbidden(needs="startup")
    return caller.organisation_id if caller.organisation_kind == "startup" else None


async def list_invoices(
    session: AsyncSession,
    caller: Caller,
    *,
    period: str | None = None,
    office: Office | None = None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> InvoicePage:
    """Invoices and credit notes. Raises Forbidden, Invalid."""
    (before,) = decode_cursor(cursor, tuple[UUID]) if cursor else (_LAST,)
    given = {
        "party": party_of(caller), "period": period, "office": office, "before": before, "rows": limit + 1,
    }  # fmt: skip
    shown, more = cut((await session.execute(_LIST, given)).all(), limit)
    heads = tuple(InvoiceHead(**row._mapping) for row in shown)
    return InvoicePage(items=heads, next=encode_cursor(more.id) if more else None)


async def find(session: AsyncSession, invoice_id: UUID, *, party: UUID | None) -> Found:
    """`party`: whose it must be, None: anybody's. Raises NotFound."""
    row = (await session.execute(_ONE, {"id": invoice_id, "party": party})).one_or_none()
    if row is None:
        raise NotFound(what="invoice")
    lines = (await session.execute(_LINES, {"id": invoice_id})).all()
    return Found(_document(row, tuple(_line(line) for line in lines)), row.sha256)


async def read_invoice(session: AsyncSession, caller: Caller, invoice_id: UUID) -> InvoiceView:
    """One document with its lines, and the credit notes on it. Raises NotFound, Forbidden."""
    found = await find(session, invoice_id, party=party_of(caller))
    notes = await session.execute(_NOTES, {"id": invoice_id})
    return view(found, tuple(InvoiceHead(**row._mapping) for row in notes))


async def read_items(
    session: AsyncSession,
    caller: Caller,
    invoice_id: UUID,
    *,
    dataset_id: UUID | None = None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> ItemPage:
    """The uses that an invoice bills, of one line's dataset or of all. Raises NotFound, Forbidden, Invalid."""
    await find(session, invoice_id, party=party_of(caller))
    (after,) = decode_cursor(cursor, tuple[UUID]) if cursor else (_FIRST,)
    given = {"id": invoice_id, "dataset": dataset_id, "after": after, "rows": limit + 1}
    shown, more = cut((await session.execute(_ITEMS, given)).all(), limit)
    items = tuple(ItemView(**row._mapping) for row in shown)
    return ItemPage(items=items, next=encode_cursor(more.id) if more else None)


def view(found: Found, notes: tuple[InvoiceHead, ...]) -> InvoiceView:
    """The document as it goes over the wire."""
    document = found.document
    return InvoiceView(
        id=document.id,
        kind=document.kind,  # type: ignore[arg-type]  # one of the two, the table's check says so
        number=document.name,
        organisation_id=document.organisation_id,
        period=document.period,
        issued_at=document.issued_at,
        seller=document.seller,
        buyer=document.buyer,
        lines=tuple(_line_view(document.id, line) for line in document.lines),
        net_vnd=document.net_vnd,
        vat_vnd=document.vat_vnd,
        gross_vnd=document.gross_vnd,
        corrects=document.corrects,
        reason=document.reason,
        replaces=document.replaces,
        edition=document.edition,
        credit_notes=notes,
        sha256=found.sha256,
    )


def head(document: Document) -> InvoiceHead:
    """A document that was just issued, as it stands in a list."""
    return InvoiceHead(
        id=document.id,
        kind=document.kind,  # type: ignore[arg-type]  # as above
        number=document.name,
        organisation_id=document.organisation_id,
        buyer_name=document.buyer.name,
        period=document.period,
        issued_at=document.issued_at,
        net_vnd=document.net_vnd,
        vat_vnd=document.vat_vnd,
        gross_vnd=document.gross_vnd,
        corrects_id=document.corrects.invoice_id if document.corrects else None,
        office="unsigned",
    )


def _line_view(invoice_id: UUID, line: Line) -> LineView:
    shown = {name: getattr(line, name) for name in Line.__struct_fields__}
    items = f"/api/v1/invoices/{invoice_id}/items?dataset_id={line.dataset_id}"
    return LineView(**shown, net_vnd=line.net_vnd, items=items)


def _line(row: Any) -> Line:
    return Line(**{name: getattr(row, name) for name in Line.__struct_fields__})


def _document(row: Any, lines: tuple[Line, ...]) -> Document:
    corrects = row.corrects_id and Correction(
        invoice_id=row.corrects_id,
        series=row.corrects_series,
        number=row.corrects_number,
        issued_at=row.corrects_issued_at,
    )
    replaces = row.replaces_number and Correction(
        invoice_id=row.id,
        series=row.replaces_series,
        number=row.replaces_number,
        issued_at=row.replaces_issued_at,
    )
    return Document(
        id=row.id,
        kind=row.kind,
        series=row.series,
        year=row.year,
        number=row.number,
        organisation_id=row.organisation_id,
        period=row.period,
        issued_at=row.issued_at,
        seller=Party(name=row.seller_name, tax_code=row.seller_tax_code),
        buyer=Party(name=row.buyer_name, tax_code=row.buyer_tax_code),
        lines=lines,
        corrects=corrects,
        reason=row.reason,
        replaces=replaces,
        edition=row.edition,
    )
