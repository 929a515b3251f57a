"""Who could ask what: of a manifest before it is published, and of a dataset as it stands."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Owner, Steward
from marketplace.agreements.preview import PreviewView, preview_listed, preview_manifest
from marketplace.agreements.preview_api import PERSONS_MAX
from marketplace.config import Config
from marketplace.errors import Problem
from marketplace.listings.reads import read_dataset
from marketplace.web.explain import placed, what_is_wrong
from marketplace.web.forms import Form, wrong
from marketplace.web.preview import kinds_of, standing_of, told_of
from marketplace.web.view import View
from policies.engine import Engine

PERSONS = 10_000
"""What the form proposes."""


@get("/preview")
async def show_form(view: View, steward: Steward) -> Template:
    """The form for a manifest."""
    return _page(view)


@post("/preview", status_code=200)
async def preview_form(
    view: View, steward: Steward, session: AsyncSession, engine: Engine, config: Config, form: Form
) -> Template:
    """Who could ask what of a version by the manifest sent; with mistakes, the form again and all of them."""
    manifest, persons = form.text("manifest"), PERSONS
    try:
        persons = form.integer("persons")
        if not 1 <= persons <= PERSONS_MAX:
            raise wrong("persons", "form.integer")
        made = await preview_manifest(session, engine, config, manifest_text=manifest, persons=persons, by=steward)
    except Problem as problem:
        return _page(view, manifest=manifest, persons=persons, problem=problem)
    return _page(view, manifest=manifest, persons=persons, made=made)


@get("/datasets/{slug:str}/preview")
async def show_listed(
    view: View, owner: Owner, session: AsyncSession, engine: Engine, config: Config, slug: str
) -> Template:
    """Who could ask what of the dataset as it is listed, and who may under which agreement."""
    made = await preview_listed(session, engine, config, dataset=slug, by=owner)
    dataset = await read_dataset(session, slug)
    return view.page(
        "preview_listed.html",
        dataset=dataset,
        made=made,
        kinds=kinds_of(view, made),
        standing=standing_of(view, made),
    )


def _page(
    view: View,
    *,
    manifest: str = "",
    persons: int = PERSONS,
    made: PreviewView | None = None,
    problem: Problem | None = None,
) -> Template:
    return view.page(
        "preview.html",
        manifest=manifest,
        persons=persons,
        persons_max=PERSONS_MAX,
        made=_shown(view, made) if made else None,
        others=[_shown(view, other) for other in made.others] if made else [],
        places=[placed(view, error) for error in problem.params.get("errors") or ()] if problem else (),
        **what_is_wrong(view, problem),
    )


def _shown(view: View, made: PreviewView) -> dict[str, Any]:
    return {
        "preview": made,
        "kinds": kinds_of(view, made),
        "against": told_of(view, made.listing, "deny") if made.listing else (),
    }


handlers = [show_form, preview_form, show_listed]
