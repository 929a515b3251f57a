"""The demo's organisations and people. Made once a home; passwords and tokens are made anew at each run."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import actions
from marketplace.accounts.models import Organisation, Person
from marketplace.accounts.tokens import create_token
from marketplace.billing.admission import admit_organisation
from marketplace.config import Config
from marketplace.db.engine import Database, database_url

Cast = tuple[tuple[str, str, str, tuple[tuple[str, str, tuple[str, ...]], ...]], ...]

CAST: Cast = (
    (
        "operator",
        "Đơn vị vận hành (trình diễn)",
        "van-hanh",
        (("operator", "vanhanh@demo.example", ("operator",)),),
    ),
    (
        "owner",
        "Cục dữ liệu mẫu (trình diễn)",
        "cuc-du-lieu-mau",
        (("owner", "chudulieu@demo.example", ("steward", "approver")),),
    ),
    (
        "startup",
        "Doanh nghiệp khởi nghiệp (trình diễn)",
        "khoi-nghiep-demo",
        (("startup", "phantich@demo.example", ("admin", "analyst")),),
    ),
    (
        "regulator",
        "Cơ quan quản lý (trình diễn)",
        "quan-ly-demo",
        (("regulator", "quanly@demo.example", ("reader",)),),
    ),
)
"""kind, name, slug, people (key, e-mail, roles). `.example` is reserved (RFC 2606): nobody's address."""


@dataclass(frozen=True)
class DemoPerson:
    role: str
    email: str
    password: str
    person_id: uuid.UUID
    organisation_id: uuid.UUID


@dataclass(frozen=True)
class Parties:
    """Tokens by kind of organisation; people with the passwords of this run."""

    tokens: dict[str, str] = field(default_factory=dict)
    people: list[DemoPerson] = field(default_factory=list)

    def of(self, role: str) -> DemoPerson:
        return next(p for p in self.people if p.role == role)


async def prepare_parties(config: Config, *, cast: Cast = CAST) -> Parties:
    """Make whoever is missing, set passwords, issue tokens."""
    database = Database(database_url(config), connections=1)
    parties = Parties()
    async with database.session() as session:
        for kind, name, slug, people in cast:
            organisation_id = await _organisation(session, kind=kind, name=name, slug=slug)
            for key, email, roles in people:
                person = await _person(session, organisation_id, key, email, roles)
                parties.people.append(person)
                made = await create_token(session, person_id=person.person_id, name="demo")
                parties.tokens[key] = made.token
    await database.close()
    return parties


async def _organisation(session: AsyncSession, *, kind: str, name: str, slug: str) -> uuid.UUID:
    known = (await session.execute(select(Organisation.id).where(Organisation.slug == slug))).scalar_one_or_none()
    return known or await admit_organisation(session, kind=kind, name=name, slug=slug)


async def _person(
    session: AsyncSession, organisation_id: uuid.UUID, key: str, email: str, roles: tuple[str, ...]
) -> DemoPerson:
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    known = (await session.execute(select(Person.id).where(Person.email == email))).scalar_one_or_none()
    if known is None:
        known = await actions.create_person(
            session,
            organisation_id=organisation_id,
            email=email,
            name=email.split("@", maxsplit=1)[0],
            roles=roles,
        )
    await actions.set_password(session, person_id=known, password=password)
    return DemoPerson(role=key, email=email, password=password, person_id=known, organisation_id=organisation_id)
