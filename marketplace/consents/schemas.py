"""What goes in and out over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

Said = Literal["given", "withdrawn"]


class ConsentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`subject` is the value of the dataset's subject key column; `at`: when the person said it."""

    dataset_id: UUID
    subject: str
    purpose: str
    event: Said
    at: Annotated[datetime, Meta(tz=True)]


class ConsentReceipt(Struct, frozen=True, kw_only=True):
    """That it was recorded; the same whoever the person is. Instants in milliseconds."""

    id: UUID
    dataset_id: UUID
    purpose: str
    event: Said
    at: int
    recorded_at: int
