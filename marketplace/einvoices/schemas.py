"""What goes over the wire of e-invoices. Instants are RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct


class EInvoiceView(Struct, frozen=True, kw_only=True):
    """Where a document stands at the tax office. `code`: MCCQT. `trouble`: why the last attempt failed."""

    invoice_id: UUID
    state: Literal["waiting", "coded", "refused"]
    message_id: str
    code: str | None
    refusal: str | None
    trouble: str | None
    attempts: int
    signed_at: datetime
    answered_at: datetime | None
