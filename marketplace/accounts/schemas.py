"""What goes over the wire about parties and tokens. Instants are RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

Days = Annotated[int, Meta(ge=1, le=366)]
Reason = Annotated[str, Meta(min_length=1, max_length=1_000)]


class NewTokenBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    scopes: tuple[str, ...] | None = None
    """None: every scope that the caller has."""
    expires_in_days: Days | None = None


class TokenMade(Struct, frozen=True, kw_only=True):
    """`token` is shown here and never again."""

    id: UUID
    name: str
    token: str
    scopes: tuple[str, ...]
    expires_at: datetime


class TokenView(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    expires_at: datetime
    revoked_at: datetime | None
    created_at: datetime


class TokenList(Struct, frozen=True, kw_only=True):
    items: tuple[TokenView, ...]


class NewOrganisationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    name: str
    slug: str
    tax_code: str | None = None
    sector: str | None = None


class OrganisationView(Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str
    name: str
    slug: str
    tax_code: str | None
    sector: str | None
    suspended_at: datetime | None


class OrganisationList(Struct, frozen=True, kw_only=True):
    items: tuple[OrganisationView, ...]


class NewPersonBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str
    name: str
    roles: tuple[str, ...]
    password: str | None = None


class PasswordBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: str


class PersonView(Struct, frozen=True, kw_only=True):
    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    deactivated_at: datetime | None


class PersonList(Struct, frozen=True, kw_only=True):
    items: tuple[PersonView, ...]


class ReasonBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason
