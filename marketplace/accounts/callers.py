"""Who is calling, found in one query; what a caller may do is a type that a handler asks for."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide
from msgspec import Struct
from sqlalchemy import text

from marketplace.accounts.allowance import charge
from marketplace.accounts.csrf import check_csrf
from marketplace.accounts.errors import (
    OrganisationSuspended,
    PersonInactive,
    ScopeMissing,
    SessionExpired,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from marketplace.accounts.secrets import split_token
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.errors import Forbidden, NotSignedIn

SCOPES = ("read", "query", "publish", "agree", "consent", "money", "tokens", "audit")
COOKIE = "sandulieu_session"

AnyRequest = Request[Any, Any, State]


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody known. `via`: token | session; a session has every scope."""

    person_id: UUID
    person_name: str
    organisation_id: UUID
    organisation_name: str
    organisation_kind: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    organisation_suspended: bool
    via: str

    def require(self, scope: str) -> None:
        """Raises ScopeMissing (403) for a token that was not given this scope."""
        if scope not in self.scopes:
            raise ScopeMissing(scope=scope)

    def require_overseer(self) -> None:
        """For what operator and regulator read. Raises Forbidden, and ScopeMissing as `require` does."""
        if self.organisation_kind not in ("operator", "regulator"):
            raise Forbidden(needs="operator")
        self.require("read")


class Startup(Caller, frozen=True, kw_only=True):
    """Any person of a startup."""


class Analyst(Startup, frozen=True, kw_only=True):
    """Asks queries for a startup."""


class StartupAdmin(Startup, frozen=True, kw_only=True):
    """Applies and signs for a startup."""


class Owner(Caller, frozen=True, kw_only=True):
    """Any person of a data owner."""


class Steward(Owner, frozen=True, kw_only=True):
    """Publishes for an owner."""


class Approver(Owner, frozen=True, kw_only=True):
    """Decides applications for an owner."""


class Reader(Caller, frozen=True, kw_only=True):
    """Reads the log for the regulator."""


class Operator(Caller, frozen=True, kw_only=True):
    """Runs the exchange."""


C = TypeVar("C", bound=Caller)

_PERSON = """
    p.id as person_id, p.name as person_name, p.roles, p.deactivated_at,
    o.id as organisation_id, o.name as organisation_name, o.kind as organisation_kind, o.suspended_at
"""
_BY_TOKEN = text(f"""
    select t.secret_hash, t.scopes, t.expires_at, t.revoked_at, {_PERSON}
    from token t join person p on p.id = t.person_id join organisation o on o.id = p.organisation_id
    where t.prefix = :prefix
""")
_BY_SESSION = text(f"""
    select s.csrf_token, s.expires_at, {_PERSON}
    from web_session s join person p on p.id = s.person_id join organisation o on o.id = p.organisation_id
    where s.id = :id
""")


class Presented(Struct, frozen=True):
    """Who the request says it comes from: a caller, nobody, or something that is not good."""

    caller: Caller | None = None
    refusal: NotSignedIn | None = None
    by_header: bool = False

    def known(self) -> Caller:
        """The caller. Raises NotSignedIn or the kind of it that says what is not good."""
        if self.refusal is not None:
            raise self.refusal
        if self.caller is None:
            raise NotSignedIn
        return self.caller


async def provide_presented(request: AnyRequest, database: Database) -> Presented:
    """By token, else by session. Found once a request, in one query. Raises CsrfMissing, AllowanceSpent."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        return await provide_seated(request, database)
    try:
        return _known(request, await _by_token(authorization, database), by_header=True)
    except NotSignedIn as refusal:
        charge(request, None)
        return Presented(refusal=refusal, by_header=True)


async def provide_seated(request: AnyRequest, database: Database) -> Presented:
    """By session alone, as pages know callers: they ask nobody for a token's scopes. Raises CsrfMissing."""
    cookie = request.cookies.get(COOKIE)
    try:
        return _known(request, await _by_session(cookie, request, database) if cookie else None)
    except NotSignedIn as refusal:
        charge(request, None)
        return Presented(refusal=refusal)


def _known(request: AnyRequest, caller: Caller | None, *, by_header: bool = False) -> Presented:
    request.scope["state"]["sandulieu_caller"] = caller
    charge(request, caller.organisation_id if caller else None)
    return Presented(caller=caller, by_header=by_header)


async def _by_token(authorization: str, database: Database) -> Caller:
    prefix, secret = split_token(authorization)
    found = await database.one(_BY_TOKEN, {"prefix": prefix})
    if not hmac.compare_digest(found.secret_hash if found else b"", sha256(secret.encode()).digest()):
        raise TokenInvalid
    assert found is not None  # nothing hashes to nothing
    if found.revoked_at is not None:
        raise TokenRevoked
    if found.expires_at <= utcnow():
        raise TokenExpired(at=found.expires_at.isoformat(timespec="seconds"))
    return _caller(found, tuple(found.scopes), "token")


async def _by_session(cookie: str, request: AnyRequest, database: Database) -> Caller:
    found = await database.one(_BY_SESSION, {"id": sha256(cookie.encode()).digest()})
    if found is None or found.expires_at <= utcnow():
        raise SessionExpired
    await check_csrf(request, found.csrf_token)
    request.scope["state"]["sandulieu_csrf"] = found.csrf_token
    return _caller(found, SCOPES, "session")


def _caller(row: Any, scopes: tuple[str, ...], via: str) -> Caller:
    if row.deactivated_at is not None:
        raise PersonInactive
    return Caller(
        person_id=row.person_id,
        person_name=row.person_name,
        organisation_id=row.organisation_id,
        organisation_name=row.organisation_name,
        organisation_kind=row.organisation_kind,
        roles=tuple(row.roles),
        scopes=scopes,
        organisation_suspended=row.suspended_at is not None,
        via=via,
    )


def narrow(caller: Caller, kind: type[C], organisation_kind: str, role: str | None) -> C:
    """The caller as the type it may be. Raises Forbidden."""
    if caller.organisation_kind != organisation_kind or (role is not None and role not in caller.roles):
        raise Forbidden(needs=f"{organisation_kind}:{role or '*'}")
    return kind(**{name: getattr(caller, name) for name in Caller.__struct_fields__})


def provide_maybe_caller(presented: Presented) -> Caller | None:
    """None for the anonymous. A cookie that ran out is anonymous too, so that public pages keep working."""
    if presented.refusal is not None and presented.by_header:
        raise presented.refusal
    return presented.caller


def provide_caller(presented: Presented) -> Caller:
    """Anybody signed in. Raises NotSignedIn."""
    return presented.known()


def provide_operator(presented: Presented) -> Operator:
    """An operator. Raises OrganisationSuspended."""
    caller = narrow(presented.known(), Operator, "operator", "operator")
    if caller.organisation_suspended:
        raise OrganisationSuspended
    return caller


def _of(kind: type[Caller], organisation_kind: str, role: str | None = None) -> Provide:
    """Anybody of such an organisation, or who has a role there."""

    def provide(presented: Presented) -> Caller:
        return narrow(presented.known(), kind, organisation_kind, role)

    return Provide(provide, sync_to_thread=False)


CALLERS: dict[str, Provide] = {
    "presented": Provide(provide_presented),
    "maybe_caller": Provide(provide_maybe_caller, sync_to_thread=False),
    "caller": Provide(provide_caller, sync_to_thread=False),
    "startup": _of(Startup, "startup"),
    "analyst": _of(Analyst, "startup", "analyst"),
    "startup_admin": _of(StartupAdmin, "startup", "admin"),
    "owner": _of(Owner, "owner"),
    "steward": _of(Steward, "owner", "steward"),
    "approver": _of(Approver, "owner", "approver"),
    "reader": _of(Reader, "regulator", "reader"),
    "operator": Provide(provide_operator, sync_to_thread=False),
}
