"""What to do first, for each kind of reader; what SQL may say."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from marketplace.web.view import View
from sandbox.plan import limits
from sandbox.plan.functions import FUNCTIONS

PARTIES = ("startup", "owner", "subject", "regulator", "operator")
STEPS = (1, 2, 3, 4)


@get("/help")
async def show_help(view: View) -> Template:
    """The reader's own steps first, then the others'."""
    own = view.caller.organisation_kind if view.caller else None
    return view.page("help.html", parties=sorted(PARTIES, key=lambda kind: kind != own), steps=STEPS)


SQL_LIMITS = (
    ("text", limits.TEXT_BYTES),
    ("terms", limits.NODES),
    ("depth", limits.DEPTH),
    ("joins", limits.JOINS),
    ("list", limits.IN_LIST),
    ("columns", limits.OUTPUT_COLUMNS),
)
FUNCTIONS_BY_KIND = tuple(
    (kind, tuple(sorted((each for each in FUNCTIONS.values() if each.kind == kind), key=lambda each: each.name)))
    for kind in ("aggregate", "window", "scalar")
)


@get("/help/sql")
async def show_sql(view: View) -> Template:
    """Every function, from the table that the plan reads."""
    return view.page("help_sql.html", kinds=FUNCTIONS_BY_KIND, limits=SQL_LIMITS)


handlers = [show_help, show_sql]
