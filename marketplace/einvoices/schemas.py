"""What goes over the wire of e-invoices. Instants are RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.invoices.schemas import Office


class EInvoiceView(Struct, frozen=True, kw_only=True):
    """Where a document stands at the tax office. `code`: MCCQT. `trouble`: why the last attempt failed.

    `fault`: what went wrong at the exchange, told to it and to the regulator."""

    invoice_id: UUID
    edition: int
    state: Office
    message_id: str | None
    code: str | None
    refusal: str | None
    trouble: str | None
    fault: str | None
    attempts: int
    signed_at: datetime | None
    answered_at: datetime | None


class CorrectionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the buyer is called from now on, and why. The seller is said as it is called now."""

    buyer_name: Annotated[str, Meta(min_length=1, max_length=400)]
    buyer_tax_code: Annotated[str, Meta(pattern=r"^\d{10}(-\d{3}|\d{2,3})?$")] | None
    why: Annotated[str, Meta(min_length=5, max_length=500)]


class CorrectionView(Struct, frozen=True, kw_only=True):
    """`replaces`: under a number of its own, in place of the one before; else under the same number."""

    edition: int
    number: str
    replaces: bool
    why: str
    made_by: str
    made_at: datetime
    sha256: str


class CorrectionList(Struct, frozen=True, kw_only=True):
    """Oldest first; `earlier`: what the tax office said of the editions before."""

    items: tuple[CorrectionView, ...]
    earlier: tuple[EInvoiceView, ...]
