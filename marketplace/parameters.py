"""Parameters that many endpoints have, each declared once."""

from __future__ import annotations

from typing import Annotated

from litestar.params import HeaderParameter, QueryParameter

IdempotencyKey = Annotated[
    str | None, HeaderParameter(name="Idempotency-Key", required=False, min_length=1, max_length=200)
]
"""The same key and body give what the first call made; another body is a 409."""
Cursor = Annotated[str | None, QueryParameter(name="cursor", required=False, max_length=500)]
"""Where the next page begins: what the last one gave as `next`."""
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
"""The most rows of a page."""
