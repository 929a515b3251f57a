"""Organisations, people, tokens, and their own tables."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


@event("organisation:create", "the operator, or the demo, entered an organisation")
class OrganisationEntered(Body, frozen=True):
    organisation: UUID
    kind: str
    slug: str


@event("organisation:suspend", "the operator stopped an organisation: its queries are denied")
@event("organisation:unsuspend", "the operator let an organisation go on")
class OrganisationJudged(Body, frozen=True):
    organisation: UUID
    reason: str


@event("person:create", "a person of an organisation was entered", version=2)
class PersonEntered(Body, frozen=True):
    organisation: UUID
    person: UUID
    roles: tuple[str, ...]
    email_commitment: str
    name_commitment: str


@event("person:erase", "name and e-mail of a person were erased, and the salts of so many commitments to them")
class PersonErased(Body, frozen=True):
    organisation: UUID
    person: UUID
    commitments: int


@event("person:set_password", "a password was set")
@event("person:deactivate", "a person's tokens and sessions stopped being good")
class PersonChanged(Body, frozen=True):
    organisation: UUID
    person: UUID


@event("person:sign_in", "a person signed in with a password")
@event("person:sign_out", "a person ended a session")
class PersonSigned(Body, frozen=True):
    pass


@event("token:create", "a person made a bearer token")
@event("token:revoke", "a person revoked one")
class TokenChanged(Body, frozen=True):
    token: UUID
    prefix: str
    scopes: tuple[str, ...]


class OwnColumn(Body, frozen=True):
    name: str
    type: str


@event("table:add", "a startup sent a table of its own")
class OwnTableAdded(Body, frozen=True):
    table: UUID
    name: str
    rows: int
    bytes: int
    columns: tuple[OwnColumn, ...]


@event("table:expire", "its organisation is suspended for so many days: removed, and the key of its file with it")
class OwnTableExpired(Body, frozen=True):
    table: UUID
    name: str
    days: int


@event("table:remove", "it was removed: the key of its file is gone")
class OwnTableRemoved(Body, frozen=True):
    table: UUID
    name: str
