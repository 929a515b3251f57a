"""What one watches, and what one was told of it."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.db.base import utcnow
from marketplace.errors import NotFound, Problem
from marketplace.finding.watching import WatchBody, WatchView, add_watch, mark_read, read_watched, remove_watch
from marketplace.listings.reads import owners_named
from marketplace.search.facets import FACETS
from marketplace.web.explain import what_is_wrong
from marketplace.web.faceted import address, choice_label
from marketplace.web.forms import Form, fitting
from marketplace.web.view import View


class Search(Struct, frozen=True):
    """A watched search as it is read: its words, what it chooses, and the catalogue at it."""

    q: str
    choices: tuple[str, ...]
    path: str


@get("/watches")
async def show_watches(view: View, caller: Caller, session: AsyncSession) -> Template:
    """Notices, the newest first, and all that is watched."""
    caller.require("read")
    return await _page(view, caller, session)


@post("/watches", status_code=200)
async def send_watch(view: View, caller: Caller, session: AsyncSession, form: Form) -> Template | Redirect:
    """Watch a dataset, or a search as the catalogue's form holds it; pressed twice, one watch."""
    caller.require("read")
    asked = _asked(form)
    try:
        async with session.begin_nested():
            await add_watch(session, asked=asked, by=caller, at=utcnow())
    except NotFound:
        raise
    except Problem as problem:
        return await _page(view, caller, session, problem)
    path = f"/datasets/{asked.dataset}" if asked.dataset else "/watches"
    return Redirect(f"{path}?done=watched", status_code=303)


@post("/watches/{watch_id:uuid}/remove", status_code=303)
async def end_watch(view: View, caller: Caller, session: AsyncSession, watch_id: UUID) -> Redirect:
    """Watch it no more."""
    caller.require("read")
    await remove_watch(session, watch_id=watch_id, by=caller)
    return Redirect("/watches?done=unwatched", status_code=303)


@post("/watches/read", status_code=303)
async def send_read(view: View, caller: Caller, session: AsyncSession) -> Redirect:
    """All notices so far are read."""
    caller.require("read")
    await mark_read(session, by=caller, at=utcnow())
    return Redirect("/watches?done=notices_read", status_code=303)


def _asked(form: Form) -> WatchBody:
    """Raises Invalid."""
    chosen = {name: form.texts(name) for name in FACETS if form.texts(name)}
    return fitting({"dataset": form.text("dataset") or None, "q": form.text("q"), "chosen": chosen}, WatchBody)


async def _page(view: View, caller: Caller, session: AsyncSession, problem: Problem | None = None) -> Template:
    watched = await read_watched(session, person_id=caller.person_id)
    slugs = [slug for watch in watched.watches for slug in watch.chosen.get("owner", ())]
    owners = await owners_named(session, slugs)
    return view.page(
        "watches.html",
        watched=watched,
        searches={each.id: _search(view, each, owners) for each in watched.watches if each.q is not None},
        **what_is_wrong(view, problem),
    )


def _search(view: View, watch: WatchView, owners: dict[str, str]) -> Search:
    chosen = {name: tuple(values) for name, values in watch.chosen.items()}
    labels = (choice_label(view, name, value, owners) for name, values in chosen.items() for value in values)
    return Search(q=watch.q or "", choices=tuple(labels), path=address(watch.q or "", chosen))


handlers = [show_watches, send_watch, end_watch, send_read]
