"""What to do first, for each kind of reader."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from marketplace.web.view import View

PARTIES = ("startup", "owner", "subject", "regulator", "operator")
STEPS = (1, 2, 3, 4)


@get("/help")
async def show_help(view: View) -> Template:
    """The reader's own steps first, then the others'."""
    own = view.caller.organisation_kind if view.caller else None
    return view.page("help.html", parties=sorted(PARTIES, key=lambda kind: kind != own), steps=STEPS)


handlers = [show_help]
