"""The demo's organisations and people. Made once a home; passwords and tokens are made anew at each run."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import actions
from marketplace.accounts.models import Organisation, Person
from marketplace.accounts.passwords import new_password
from marketplace.accounts.tokens import create_token
from marketplace.billing.admission import admit_organisation
from marketplace.cli.home_database import home_database
from marketplace.config import Config


class Actor(NamedTuple):
    """A person of the story; `key` names the token, `.example` is reserved (RFC 2606): nobody's address."""

    key: str
    email: str
    name: str
    roles: tuple[str, ...]


class House(NamedTuple):
    """An organisation of the story."""

    kind: str
    name: str
    slug: str
    people: tuple[Actor, ...]


CAST = (
    House(
        "operator",
        "Đơn vị vận hành (trình diễn)",
        "van-hanh",
        (Actor("operator", "vanhanh@demo.example", "Phạm Quang Vinh", ("operator",)),),
    ),
    House(
        "owner",
        "Cục dữ liệu mẫu (trình diễn)",
        "cuc-du-lieu-mau",
        (Actor("owner", "chudulieu@demo.example", "Lê Thu Hà", ("steward", "approver")),),
    ),
    House(
        "startup",
        "Doanh nghiệp khởi nghiệp (trình diễn)",
        "khoi-nghiep-demo",
        (Actor("startup", "phantich@demo.example", "Trần Minh Anh", ("admin", "analyst")),),
    ),
    House(
        "regulator",
        "Cơ quan quản lý (trình diễn)",
        "quan-ly-demo",
        (Actor("regulator", "quanly@demo.example", "Nguyễn Hoài Nam", ("reader",)),),
    ),
)


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


async def prepare_parties(config: Config, *, cast: tuple[House, ...] = CAST) -> Parties:
    """Make whoever is missing, set passwords, issue tokens."""
    parties = Parties()
    async with home_database(config) as database, database.session() as session:
        for house in cast:
            organisation_id = await _organisation(session, house)
            for actor in house.people:
                person = await _person(session, organisation_id, actor)
                parties.people.append(person)
                made = await create_token(session, person_id=person.person_id, name="demo")
                parties.tokens[actor.key] = made.token
    return parties


async def _organisation(session: AsyncSession, house: House) -> uuid.UUID:
    known = await session.scalar(select(Organisation.id).where(Organisation.slug == house.slug))
    return known or await admit_organisation(session, kind=house.kind, name=house.name, slug=house.slug)


async def _person(session: AsyncSession, organisation_id: uuid.UUID, actor: Actor) -> DemoPerson:
    password = new_password()
    known = await session.scalar(select(Person.id).where(Person.email == actor.email))
    if known is None:
        known = await actions.create_person(
            session, organisation_id=organisation_id, email=actor.email, name=actor.name, roles=actor.roles
        )
    await actions.set_password(session, person_id=known, password=password)
    return DemoPerson(actor.key, actor.email, password, known, organisation_id)
