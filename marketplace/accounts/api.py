"""`/api/v1/tokens` for everybody; `/api/v1/organisations` and `/people` for the operator."""

from __future__ import annotations

from uuid import UUID

from litestar import delete, get, post
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import actions, reads
from marketplace.accounts.callers import Caller, Operator
from marketplace.accounts.schemas import (
    NewPersonBody,
    NewTokenBody,
    OrganisationList,
    OrganisationView,
    PasswordBody,
    PersonList,
    PersonView,
    ReasonBody,
    TokenList,
    TokenMade,
)
from marketplace.accounts.tokens import create_token, revoke_token
from marketplace.config import Config
from marketplace.errors import NotFound

DAY_S = 86_400


@post("/api/v1/tokens")
async def make_token(data: NewTokenBody, caller: Caller, session: AsyncSession, config: Config) -> TokenMade:
    """A token of the caller's own, with at most the caller's scopes; its text is shown once."""
    caller.require("tokens")
    for scope in data.scopes or ():
        caller.require(scope)
    lifetime_s = data.expires_in_days * DAY_S if data.expires_in_days else config.token_lifetime_s
    made = await create_token(
        session,
        person_id=caller.person_id,
        name=data.name,
        scopes=caller.scopes if data.scopes is None else data.scopes,
        lifetime_s=lifetime_s,
    )
    return TokenMade(id=made.id, name=made.name, token=made.token, scopes=made.scopes, expires_at=made.expires_at)


@get("/api/v1/tokens")
async def list_tokens(caller: Caller, session: AsyncSession) -> TokenList:
    """The caller's own tokens, without their secrets."""
    caller.require("tokens")
    return TokenList(items=await reads.tokens(session, caller))


@delete("/api/v1/tokens/{token_id:uuid}", status_code=HTTP_204_NO_CONTENT)
async def end_token(token_id: UUID, caller: Caller, session: AsyncSession) -> None:
    """Revoke one of the caller's own tokens."""
    caller.require("tokens")
    await revoke_token(session, token_id=token_id, by=caller)


@get("/api/v1/organisations")
async def list_organisations(operator: Operator, session: AsyncSession) -> OrganisationList:
    """Every organisation."""
    operator.require("read")
    return OrganisationList(items=await reads.organisations(session))


@post("/api/v1/organisations/{organisation_id:uuid}/suspend", status_code=HTTP_200_OK)
async def suspend(
    organisation_id: UUID, data: ReasonBody, operator: Operator, session: AsyncSession
) -> OrganisationView:
    """Stop an organisation: its next query is denied."""
    operator.require("tokens")
    await actions.suspend_organisation(session, organisation_id=organisation_id, reason=data.reason, by=operator)
    return await reads.organisation(session, organisation_id)


@post("/api/v1/organisations/{organisation_id:uuid}/unsuspend", status_code=HTTP_200_OK)
async def unsuspend(
    organisation_id: UUID, data: ReasonBody, operator: Operator, session: AsyncSession
) -> OrganisationView:
    """Let an organisation go on."""
    operator.require("tokens")
    await actions.unsuspend_organisation(session, organisation_id=organisation_id, reason=data.reason, by=operator)
    return await reads.organisation(session, organisation_id)


@get("/api/v1/organisations/{organisation_id:uuid}/people")
async def list_people(organisation_id: UUID, caller: Caller, session: AsyncSession) -> PersonList:
    """Everybody of an organisation: of any for the operator, of their own for everybody else."""
    caller.require("read")
    if caller.organisation_kind != "operator" and caller.organisation_id != organisation_id:
        raise NotFound(what="organisation")
    return PersonList(items=await reads.people(session, organisation_id))


@post("/api/v1/organisations/{organisation_id:uuid}/people")
async def add_person(
    organisation_id: UUID, data: NewPersonBody, operator: Operator, session: AsyncSession
) -> PersonView:
    """Enter a person, with a password if one is given."""
    operator.require("tokens")
    person_id = await actions.create_person(
        session, organisation_id=organisation_id, email=data.email, name=data.name, roles=data.roles, by=operator
    )
    if data.password is not None:
        await actions.set_password(session, person_id=person_id, password=data.password, by=operator)
    return next(each for each in await reads.people(session, organisation_id) if each.id == person_id)


@post("/api/v1/people/{person_id:uuid}/password", status_code=HTTP_204_NO_CONTENT)
async def reset_password(person_id: UUID, data: PasswordBody, operator: Operator, session: AsyncSession) -> None:
    """Give a person another password; who was signed in as that person is so no more."""
    operator.require("tokens")
    await actions.set_password(session, person_id=person_id, password=data.password, by=operator)


@post("/api/v1/people/{person_id:uuid}/deactivate", status_code=HTTP_204_NO_CONTENT)
async def deactivate(person_id: UUID, operator: Operator, session: AsyncSession) -> None:
    """End a person's account: no token and no session of theirs is good any more."""
    operator.require("tokens")
    await actions.deactivate_person(session, person_id=person_id, by=operator)


@post("/api/v1/people/{person_id:uuid}/erase", status_code=HTTP_204_NO_CONTENT)
async def erase(person_id: UUID, operator: Operator, session: AsyncSession) -> None:
    """Erase a person's name and e-mail everywhere, the log included; what they did stays, and stays provable."""
    operator.require("tokens")
    await actions.erase_person(session, person_id=person_id, by=operator)


handlers = [
    make_token, list_tokens, end_token,
    list_organisations, suspend, unsuspend,
    list_people, add_person, reset_password, deactivate, erase,
]  # fmt: skip
