"""Who asks, where it is a person about herself: by a sealed cookie or a bearer token `sdls_…`."""

from __future__ import annotations

import hmac
from typing import Any, Literal

from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from msgspec import Struct

from marketplace.accounts.callers import Presented
from marketplace.accounts.csrf import SAFE
from marketplace.accounts.errors import CsrfMissing
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Forbidden
from marketplace.identity.errors import SubjectSessionEnded, SubjectSignInNeeded
from marketplace.identity.session import TOKEN_PREFIX, Session, opened
from marketplace.identity.store import admit_session

COOKIE = "sandulieu_subject"
CSRF_HEADER = "x-subject-csrf-token"
CSRF_FIELD = "subject_csrf"
"""Its own names: a browser may be signed in for an organisation at the same time."""

AnyRequest = Request[Any, Any, State]


class Subject(Struct, frozen=True, kw_only=True):
    """A person who signed in. `session.subject` says who; it goes into no row, no log, no error."""

    session: Session
    via: Literal["session", "token"]


async def provide_subject(
    request: AnyRequest, presented: Presented, database: Database, config: Config, keys: Keys
) -> Subject:
    """The person. Raises SubjectSignInNeeded, SubjectSessionEnded, TooManyRequests, CsrfMissing; Forbidden for an
    organisation's token."""
    bearer = bearer_of(request)
    if bearer is not None:
        return await by_token(bearer, database, config, keys)
    if presented.by_header:
        presented.known()
        raise Forbidden(needs="subject")
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise SubjectSignInNeeded
    return await by_cookie(request, cookie, database, config, keys)


async def provide_maybe_subject(
    request: AnyRequest, database: Database, config: Config, keys: Keys
) -> Subject | None:
    """None without a cookie that still opens something; for pages. Raises TooManyRequests, CsrfMissing."""
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    try:
        return await by_cookie(request, cookie, database, config, keys)
    except SubjectSessionEnded:
        return None


def bearer_of(request: AnyRequest) -> str | None:
    """The sealed part of a subject's bearer token, if the request carries one."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    return value[len(TOKEN_PREFIX) :] if kind.lower() == "bearer" and value.startswith(TOKEN_PREFIX) else None


async def by_token(bearer: str, database: Database, config: Config, keys: Keys) -> Subject:
    """The person of a token. Raises SubjectSessionEnded, TooManyRequests."""
    session = opened(keys.subject_seal(), "token", bearer)
    await admit_session(database, config, keys, session)
    return Subject(session=session, via="token")


async def by_cookie(request: AnyRequest, cookie: str, database: Database, config: Config, keys: Keys) -> Subject:
    """The person of a cookie; what changes anything needs the session's CSRF token too.

    Raises SubjectSessionEnded, TooManyRequests, CsrfMissing.
    """
    session = opened(keys.subject_seal(), "session", cookie)
    await admit_session(database, config, keys, session)
    if request.method not in SAFE:
        given = request.headers.get(CSRF_HEADER) or await _field(request)
        if not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise CsrfMissing
    return Subject(session=session, via="session")


async def _field(request: AnyRequest) -> str:
    kind, _ = request.content_type
    if kind not in (RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART):
        return ""
    value = (await request.form()).get(CSRF_FIELD, "")
    return value if isinstance(value, str) else ""


# Not named `subject`: Litestar takes a wrong field of that name in a body for a failing dependency.
SUBJECTS: dict[str, Provide] = {
    "citizen": Provide(provide_subject),
    "maybe_citizen": Provide(provide_maybe_subject),
}
