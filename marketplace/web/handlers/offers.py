"""What is offered of a dataset, for its owner: every version, a form for the next one, and retiring."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, time, timedelta

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Owner, Steward
from marketplace.agreements.reads import applicants_of
from marketplace.billing.terms import MICRO, Tier, Trial
from marketplace.calendar import VIETNAM
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim
from marketplace.errors import NotFound, Problem
from marketplace.listings.reads import dataset_id_of, read_dataset
from marketplace.offers.actions import make_offer, retire_offer
from marketplace.offers.api import sender
from marketplace.offers.reads import offers_of
from marketplace.offers.rules import OF_MODE, RATES
from marketplace.offers.schemas import NewOfferBody
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, fitting, fraction, whole, wrong
from marketplace.web.view import View

PROMISES = ("sla_accurate", "sla_complete", "sla_clean", "sla_credit")
"""In percent."""
AMOUNTS = ("trial_queries", "trial_vnd", "month_vnd", "minimum_month_vnd", "cap_month_vnd")


@get("/datasets/{slug:str}/offers")
async def show_offers(view: View, owner: Owner, session: AsyncSession, slug: str) -> Template:
    """Every version of every offer of the owner's own dataset."""
    owner.require("read")
    return await _page(view, owner, session, slug)


@post("/datasets/{slug:str}/offers", status_code=200)
async def send_offer(
    view: View, steward: Steward, session: AsyncSession, slug: str, form: Form
) -> Template | Redirect:
    """Make one, or the next version; the hidden key makes a second press the same one."""
    by = sender(steward)
    dataset_id = await dataset_id_of(session, slug, owner_id=by.organisation_id)
    if dataset_id is None:
        raise NotFound
    try:
        async with session.begin_nested():
            asked, wanted = _asked(form), new_id()
            body = msgspec.json.encode((str(dataset_id), asked))
            first = await claim(session, by.organisation_id, form.text("key"), body, wanted)
            if first == wanted:
                await make_offer(session, offer_id=wanted, dataset_id=dataset_id, asked=asked, by=by, at=utcnow())
    except Problem as problem:
        return await _page(view, steward, session, slug, problem, form.typed())
    return Redirect(f"/datasets/{slug}/offers?done=offered", status_code=303)


@post("/datasets/{slug:str}/offers/{offer_id:uuid}/retire", status_code=200)
async def send_retire(
    view: View, steward: Steward, session: AsyncSession, slug: str, offer_id: uuid.UUID
) -> Template | Redirect:
    """No new agreement on it from now on."""
    by = sender(steward)
    try:
        async with session.begin_nested():
            await retire_offer(session, offer_id=offer_id, by=by, at=utcnow())
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, steward, session, slug, problem)
    return Redirect(f"/datasets/{slug}/offers?done=offer_retired", status_code=303)


def _asked(form: Form) -> NewOfferBody:
    """Raises Invalid."""
    trial_queries, trial_vnd = _whole(form, "trial_queries"), _whole(form, "trial_vnd")
    trial = Trial(queries=trial_queries, budget_vnd=trial_vnd) if trial_queries or trial_vnd else None
    until = form.day("valid_until")
    terms = {
        **{name: _micro(name, form.text(name)) for name in RATES},
        "tiers": _tiers(form),
        "trial": trial,
        "month_vnd": _whole(form, "month_vnd") or 0,
        "minimum_month_vnd": _whole(form, "minimum_month_vnd") or 0,
        "cap_month_vnd": _whole(form, "cap_month_vnd"),
        "sla": _sla(form),
    }
    body = {
        "name": form.text("name"),
        "startup_id": form.optional_id("startup_id"),
        "valid_until": datetime.combine(until, time(), VIETNAM) + timedelta(days=1) if until else None,
        "terms": terms,
    }
    return fitting(msgspec.to_builtins(body), NewOfferBody)


def _sla(form: Form) -> dict[str, int | bool] | None:
    """Promises about the data, in permille; None where nothing is promised. Raises Invalid."""
    percents = {name: _whole(form, name) for name in PROMISES}
    told = {f"{name[4:]}_permille": 10 * value for name, value in percents.items() if value is not None}
    live = form.text("sla_live") == "yes"
    if not told and not live:
        return None
    if "credit_permille" not in told:
        raise wrong("sla_credit", "form.integer")
    return {**told, "live": live}


def _micro(name: str, text: str) -> int:
    """Micro-đồng of an amount with at most six decimals. Raises Invalid."""
    return int(fraction(name, text.strip() or "0", decimals=6) * MICRO)


def _whole(form: Form, name: str) -> int | None:
    return form.integer(name) if form.text(name).strip() else None


def _tiers(form: Form) -> tuple[Tier, ...]:
    """A line each: from which query of the month, and the price of one."""
    found = []
    for line in form.text("tiers").split("\n"):
        if line.strip():
            place, _, rate = line.partition(":")
            found.append(Tier(from_query=whole("tiers", place.strip()), per_query_micro=_micro("tiers", rate)))
    return tuple(found)


async def _page(
    view: View,
    owner: Owner,
    session: AsyncSession,
    slug: str,
    problem: Problem | None = None,
    typed: Mapping[str, str] = {},
) -> Template:
    dataset_id = await dataset_id_of(session, slug, owner_id=owner.organisation_id)
    dataset = await read_dataset(session, dataset_id) if dataset_id else None
    if dataset is None or dataset_id is None:
        raise NotFound
    return view.page(
        "offers.html",
        dataset=dataset,
        offers=await offers_of(session, dataset_id=dataset_id, caller=owner, at=utcnow()),
        startups=await applicants_of(session, owner_id=owner.organisation_id),
        rates=[name for name in RATES if dataset.mode in OF_MODE.get(name, (dataset.mode,))],
        amounts=AMOUNTS,
        promises=PROMISES,
        may_make="steward" in owner.roles,
        key=str(new_id()),
        typed=typed,
        **what_is_wrong(view, problem),
    )


handlers = [show_offers, send_offer, send_retire]
