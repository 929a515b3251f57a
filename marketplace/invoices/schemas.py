"""What goes over the wire of invoices: whole đồng, net = gross - VAT. Instants are RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.invoices.document import Correction, Party

Kind = Literal["invoice", "credit_note"]
Office = Literal["unsigned", "waiting", "coded", "refused"]
"""Where a document stands at the tax office."""


class CloseBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`period`: a month that is over, YYYY-MM."""

    period: Annotated[str, Meta(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


class InvoiceHead(Struct, frozen=True, kw_only=True):
    """One document in a list. `number` is as people write it: series and eight digits."""

    id: UUID
    kind: Kind
    number: str
    organisation_id: UUID
    buyer_name: str
    period: str
    issued_at: datetime
    net_vnd: int
    vat_vnd: int
    gross_vnd: int
    corrects_id: UUID | None
    office: Office


class InvoicePage(Struct, frozen=True, kw_only=True):
    """Newest first; `next` is the cursor of the next page, None on the last."""

    items: tuple[InvoiceHead, ...]
    next: str | None


class LineView(Struct, frozen=True, kw_only=True):
    """One dataset at one rate; `items` is where each use that it sums is found."""

    position: int
    code: str
    dataset_id: UUID
    dataset_slug: str
    dataset_title: str
    vat_permille: int
    queries: int
    bytes: int
    net_vnd: int
    vat_vnd: int
    gross_vnd: int
    items: str
    items_sha256: str


class InvoiceView(Struct, frozen=True, kw_only=True):
    """One document; `sha256` is what its event in the log says."""

    id: UUID
    kind: Kind
    number: str
    organisation_id: UUID
    period: str
    issued_at: datetime
    seller: Party
    buyer: Party
    lines: tuple[LineView, ...]
    net_vnd: int
    vat_vnd: int
    gross_vnd: int
    corrects: Correction | None
    reason: str | None
    replaces: Correction | None
    edition: int
    credit_notes: tuple[InvoiceHead, ...]
    sha256: str


class ItemView(Struct, frozen=True, kw_only=True):
    """One use of a dataset: the query, the decision it stood on, and where its receipt is.

    What was charged without a query has none of them; `period` is the month that it was for."""

    id: UUID
    at: datetime
    code: str
    period: str | None
    query_id: UUID | None
    dataset_id: UUID
    decision_id: UUID | None
    vat_permille: int
    gross_vnd: int
    receipt: str | None


class ItemPage(Struct, frozen=True, kw_only=True):
    """In order of their ids, which is that of time; `next` is the cursor of the next page, None on the last."""

    items: tuple[ItemView, ...]
    next: str | None


class CreditBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be given back: of these items, of a line's dataset, or (neither) of the whole invoice.

    `amount_vnd` None: all that is left; else divided in proportion to what is left of each use.
    """

    reason: Annotated[str, Meta(min_length=5, max_length=500)]
    item_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=1_000)] | None = None
    dataset_id: UUID | None = None
    amount_vnd: Annotated[int, Meta(gt=0)] | None = None


class VersionCreditBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version that was withdrawn for its quality: all that was billed for asking it is to be given back."""

    version_id: Annotated[str, Meta(min_length=1, max_length=200)]
    reason: Annotated[str, Meta(min_length=5, max_length=500)]


class CreditDecisionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    decision: Literal["approve", "refuse"]


class CreditView(Struct, frozen=True, kw_only=True):
    """A refund, proposed or decided; `note_id` is the credit note that it became."""

    id: UUID
    invoice_id: UUID
    state: Literal["proposed", "approved", "refused"]
    reason: str
    version_id: str | None
    amount_vnd: int
    uses: int
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    note_id: UUID | None


class CreditPage(Struct, frozen=True, kw_only=True):
    """Newest first; `next` is the cursor of the next page, None on the last."""

    items: tuple[CreditView, ...]
    next: str | None
