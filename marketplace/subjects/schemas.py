"""What a data subject is told, on the wire and on the page. Instants are milliseconds since the epoch."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import Struct

from marketplace.consents.schemas import ConsentReceipt

Band = Literal["0", "1-9", "10-99", "100+"]
"""How often, so coarsely that no company is betrayed by it."""
State = Literal["given", "withdrawn", "revoked", "expired", "none", "other_basis"]
"""revoked: by the owner; none: the person never consented; other_basis: the owner does not rely on consent."""


class Use(Struct, frozen=True, kw_only=True):
    """Queries in a calendar month of Viet Nam (YYYY-MM). `company`: a sector that has several, else `startup`."""

    month: str
    company: str
    queries: Band


class MyPurpose(Struct, frozen=True, kw_only=True):
    """`said_at`: when that was said, None where it is the owner's file that says so."""

    purpose: str
    state: State
    said_at: int | None
    use: tuple[Use, ...]
    """Newest month first, the last twelve; empty where the dataset holds nothing about the person."""


class MyDataset(Struct, frozen=True, kw_only=True):
    """A dataset that holds data about the person, or about which she said something."""

    dataset_id: UUID
    slug: str
    title_vi: str
    title_en: str
    owner_name: str
    version: int
    released_at: int
    holds_data: bool
    """Whether the newest version holds data about the person. Nobody else is told."""
    legal_basis: str
    law: str
    purposes: tuple[MyPurpose, ...]


class MyDatasets(Struct, frozen=True, kw_only=True):
    """Use is counted up to `use_until`."""

    items: tuple[MyDataset, ...]
    use_until: int


class MyReceipts(Struct, frozen=True):
    """What the person said, or the owner recorded for her; newest first."""

    items: tuple[ConsentReceipt, ...]


class SubjectToken(Struct, frozen=True, kw_only=True):
    """`token` is shown here and never again; it ends with the session that made it."""

    token: str
    expires_at: int
