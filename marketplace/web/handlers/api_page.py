"""The API on one page: a first question as a program asks it, and every operation."""

from __future__ import annotations

from functools import cache
from typing import Final

from litestar import Litestar, get
from litestar.response import Template
from litestar.routes import HTTPRoute
from msgspec import Struct

from marketplace.config import Config
from marketplace.web.api_document import part_of, summary_of
from marketplace.web.view import AnyRequest, View

FIRST: Final = """\
TOKEN=sdl_…  AGREEMENT=…  KEY=$(uuidgen)
ASK='{"agreement_ids": ["'$AGREEMENT'"], "purpose": "research.academic", "sql": "SELECT count(*) FROM adult"}'
curl ADDRESS/api/v1/queries/quote -H "Authorization: Bearer $TOKEN" --json "$ASK"
curl ADDRESS/api/v1/queries -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $KEY" --json "$ASK"
QUERY=…
curl ADDRESS/api/v1/queries/$QUERY/result -H "Authorization: Bearer $TOKEN" -H "Accept: text/csv"
curl ADDRESS/api/v1/queries/$QUERY/receipt -H "Authorization: Bearer $TOKEN"
"""
"""The steps of a first question, for a shell."""
UNASKED: Final = frozenset({"HEAD", "OPTIONS"})


class Operation(Struct, frozen=True, kw_only=True):
    """`summary`: the first paragraph of what its handler says, in English."""

    method: str
    path: str
    summary: str


@get("/help/api")
async def show_api(view: View, request: AnyRequest, config: Config) -> Template:
    """For whoever writes programs; the machine's form of it is `/schema/openapi.json`."""
    address = (config.public_url or str(request.base_url)).rstrip("/")
    first = FIRST.replace("ADDRESS", address)
    return view.page("help_api.html", first=first, parts=operations(request.app))


@cache
def operations(app: Litestar) -> dict[str, tuple[Operation, ...]]:
    """What the OpenAPI document describes, by the part of the API that it belongs to."""
    found: dict[str, list[Operation]] = {}
    for route in sorted((r for r in app.routes if isinstance(r, HTTPRoute)), key=lambda r: r.path_format):
        for handler in route.route_handlers:
            if not handler.resolve_include_in_schema():
                continue
            summary = summary_of(handler.fn.__doc__ or "")
            found.setdefault(part_of(route.path_format), []).extend(
                Operation(method=method, path=route.path_format, summary=summary)
                for method in sorted({str(m) for m in handler.http_methods} - UNASKED)
            )
    return {part: tuple(found[part]) for part in sorted(found)}


handlers = [show_api]
