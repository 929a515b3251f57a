"""`/toi`: a citizen signs in with VNeID, sees what is held and used about her, and takes consent back."""

from __future__ import annotations

import uuid
from typing import Final

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.allowance import OWN_LIMIT
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.consents.schemas import ConsentBody
from marketplace.consents.speakers import Speaker, record_once
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.identity.callers import COOKIE, Subject
from marketplace.identity.provider import Provider
from marketplace.identity.sign_in import (
    SIGN_IN_LIFETIME_S,
    Answered,
    begin_sign_in,
    finish_sign_in,
    make_token,
    sign_out,
)
from marketplace.identity.store import admit_sign_in
from marketplace.subjects import reads
from marketplace.web.forms import Form, wrong
from marketplace.web.links import is_https
from marketplace.web.view import AnyRequest, View, address_of

PAGE: Final = "/toi"
SIGN_IN_COOKIE: Final = "sandulieu_subject_sign_in"
SAID: Final = ("given", "withdrawn")


@get(PAGE, opt=OWN_LIMIT)
async def show_mine(
    view: View,
    maybe_citizen: Subject | None,
    session: AsyncSession,
    store: Store,
    keys: Keys,
    config: Config,
    provider: Provider,
    receipt: uuid.UUID | None = None,
) -> Template:
    """What is held and used about the person; who is not signed in is asked to."""
    if maybe_citizen is None:
        return view.page("mine_sign_in.html", provider=provider.name if provider.configured else None)
    return await _page(view, maybe_citizen, session, store, keys, config, receipt_id=receipt)


@get(f"{PAGE}/sign-in", opt=OWN_LIMIT)
async def send_to_provider(
    request: AnyRequest, view: View, database: Database, keys: Keys, config: Config, provider: Provider
) -> Redirect:
    """On to the provider. It changes nothing, so a link leads here."""
    await admit_sign_in(database, config, keys, address=address_of(request))
    base = config.public_url or str(request.base_url)
    url, sealed = await begin_sign_in(provider, keys, redirect_uri=f"{base.rstrip('/')}{PAGE}/callback")
    cookie = _cookie(config, SIGN_IN_COOKIE, sealed, path=PAGE, max_age_s=SIGN_IN_LIFETIME_S)
    return Redirect(url, status_code=303, cookies=[cookie])


@get(f"{PAGE}/callback", opt=OWN_LIMIT)
async def come_back(
    request: AnyRequest,
    view: View,
    database: Database,
    keys: Keys,
    config: Config,
    provider: Provider,
) -> Redirect:
    """Back from the provider, with a session or with a reason why not."""
    sent = request.query_params
    cookie = await finish_sign_in(
        provider,
        database,
        config,
        keys,
        cookie=request.cookies.get(SIGN_IN_COOKIE, ""),
        answered=Answered(
            state=sent.get("state", ""),
            code=sent.get("code", ""),
            error=sent.get("error", ""),
            issuer=sent.get("iss", ""),
        ),
    )
    session_cookie = _cookie(config, COOKIE, cookie, path="/", max_age_s=config.subject_session_lifetime_s)
    answer = Redirect(PAGE, status_code=303, cookies=[session_cookie])
    answer.delete_cookie(SIGN_IN_COOKIE, path=PAGE)
    return answer


@post(f"{PAGE}/sign-out", status_code=303, opt=OWN_LIMIT)
async def send_sign_out(view: View, citizen: Subject, session: AsyncSession, config: Config) -> Redirect:
    """The session ends here and now, with its tokens, not only its cookie."""
    await sign_out(session, config, citizen.session)
    answer = Redirect(PAGE, status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


@post(f"{PAGE}/consents", status_code=303, opt=OWN_LIMIT)
async def send_consent(
    view: View, citizen: Subject, session: AsyncSession, store: Store, keys: Keys, form: Form
) -> Redirect:
    """Give or withdraw for one purpose; the page that follows shows the receipt."""
    event = form.text("event")
    if event not in SAID:
        raise wrong("event", "form.text")
    said = ConsentBody(
        dataset_id=form.id("dataset"),
        purpose=form.text("purpose"),
        event="given" if event == "given" else "withdrawn",
        at=utcnow(),
    )
    receipt = await record_once(
        session, speaker=Speaker(subject=citizen), said=said, idempotency_key=None, store=store, keys=keys
    )
    return Redirect(f"{PAGE}?receipt={receipt.id}", status_code=303)


@post(f"{PAGE}/tokens", status_code=200, opt=OWN_LIMIT)
async def send_token(
    view: View, citizen: Subject, session: AsyncSession, store: Store, keys: Keys, config: Config
) -> Template:
    """A short-lived token for a program of the person's own, shown this once."""
    made = await make_token(session, config, keys, citizen.session)
    return await _page(view, citizen, session, store, keys, config, token=made)


async def _page(
    view: View,
    citizen: Subject,
    session: AsyncSession,
    store: Store,
    keys: Keys,
    config: Config,
    *,
    receipt_id: uuid.UUID | None = None,
    token: tuple[str, int] | None = None,
) -> Template:
    found = await reads.find(session, subject=citizen.session.subject, store=store, keys=keys)
    mine = await reads.my_datasets(session, found, store=store, config=config)
    await record(session, "subject:read")
    return view.page(
        "mine.html",
        datasets=mine.items,
        use_until=mine.use_until,
        titles={each.dataset_id: each for each in mine.items},
        receipts=reads.my_receipts(found).items,
        receipt=reads.my_receipt(found, receipt_id) if receipt_id else None,
        subject_csrf=citizen.session.csrf,
        until=citizen.session.expires_at_ms,
        token=token,
    )


def _cookie(config: Config, name: str, value: str, *, path: str, max_age_s: int) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path=path,
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=is_https(config),
    )


handlers = [show_mine, send_to_provider, come_back, send_sign_out, send_consent, send_token]
