"""Own tables on the wire, and as a query finds them."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class OwnColumn(Struct, frozen=True, kw_only=True):
    name: str
    type: str


class TableView(Struct, frozen=True, kw_only=True):
    """`bytes`: as kept; `added_at`: milliseconds."""

    id: UUID
    name: str
    columns: tuple[OwnColumn, ...]
    rows: int
    bytes: int
    added_at: int


class TableList(Struct, frozen=True, kw_only=True):
    """All that the organisation has, by name."""

    items: tuple[TableView, ...]


class OwnSchema(Struct, frozen=True, kw_only=True):
    """What a query needs of an own table. `wrapped_key`: base64 when it comes from JSON."""

    id: UUID
    name: str
    columns: tuple[OwnColumn, ...]
    rows: int
    wrapped_key: bytes
