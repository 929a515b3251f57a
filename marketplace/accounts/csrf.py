"""A browser sends the cookie by itself, so what changes anything must also carry the session's CSRF token."""

from __future__ import annotations

import hmac
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.enums import RequestEncodingType

from marketplace.accounts.errors import CsrfMissing

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
FIELD = "csrf_token"


async def check_csrf(request: Request[Any, Any, State], session_token: str) -> None:
    """Raises CsrfMissing unless the method is safe or header or form field carries the session's token."""
    if request.method in SAFE:
        return
    given = request.headers.get(HEADER) or await _field(request)
    if not hmac.compare_digest(given.encode(), session_token.encode()):
        raise CsrfMissing


async def _field(request: Request[Any, Any, State]) -> str:
    kind, _ = request.content_type
    if kind not in (RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART):
        return ""
    value = (await request.form()).get(FIELD, "")
    return value if isinstance(value, str) else ""


def csrf_of(request: Request[Any, Any, State]) -> str:
    """The CSRF token for the forms of this signed-in browser; empty for everybody else."""
    token: str = request.scope["state"].get("sandulieu_csrf", "")
    return token
