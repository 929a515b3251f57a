"""Quality of a dataset as a page: the clock, what was found of each version, drift; counts for its owner."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import utcnow
from marketplace.errors import NotFound
from marketplace.listings.reads import kept_dataset
from marketplace.quality.reads import read_quality
from marketplace.web.expected import judged
from marketplace.web.view import View

Version = Annotated[str | None, QueryParameter(name="version", required=False, max_length=64)]


@get("/datasets/{slug:str}/quality")
async def show_quality(view: View, session: AsyncSession, slug: str, version: Version = None) -> Template:
    """Open to everybody while it is listed, then to its owners; `version`: that one alone."""
    reader = view.caller.organisation_id if view.caller is not None else None
    dataset = await kept_dataset(session, slug, reader_id=reader)
    if dataset is None:
        raise NotFound
    page = await read_quality(session, dataset.id, reader_id=reader, at=utcnow(), version_id=version)
    if page is None:
        raise NotFound
    suited = next((check for check in page.checks if check.verdicts), None)
    told = judged(suited.number, suited.verdicts, view.language) if suited else None
    drifted = next((check for check in page.checks if check.drift), None)
    return view.page("quality.html", dataset=dataset, page=page, judged=told, drifted=drifted)


handlers = [show_quality]
