"""Which of several forms a reader wants (RFC 9110, 12.5.1), and whether it has that one already (13.1.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from litestar import Request, Response
from litestar.datastructures import State

from marketplace.feeds.errors import NotAcceptable

AnyRequest = Request[object, object, State]
MOST_RANGES = 50
"""Of an Accept header; the rest is not looked at."""
FRESH_S = 60
"""So long a cache need not ask again."""


def choose(accept: str | None, offered: Sequence[str]) -> str | None:
    """The media type that is wanted most, the first of those wanted alike; None where none is wanted."""
    ranges = [_range(each) for each in (accept or "*/*").split(",")[:MOST_RANGES]]
    best, best_quality = None, 0.0
    for media_type in offered:
        quality = _quality(media_type, ranges)
        if quality > best_quality:
            best, best_quality = media_type, quality
    return best


def require_choice(request: AnyRequest, offered: Sequence[str]) -> str:
    """As `choose`. Raises NotAcceptable."""
    chosen = choose(request.headers.get("accept"), offered)
    if chosen is None:
        raise NotAcceptable(offered=list(offered))
    return chosen


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in text.lower().split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return name, quality if quality == quality else 0.0  # noqa: PLR0124 - NaN


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """That of the most specific range that the type is in."""
    group = media_type.split("/", maxsplit=1)[0]
    for pattern in (media_type, f"{group}/*", "*/*"):
        found = [quality for name, quality in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0


def answer(
    request: AnyRequest, body: bytes, media_type: str, *, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """The body with its hash as ETag; 304 without it if the reader has it."""
    tag = f'"{hashlib.sha256(media_type.encode() + body).hexdigest()[:32]}"'
    told = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={FRESH_S}",
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
        **(headers or {}),
    }
    if _has(request.headers.get("if-none-match"), tag):
        return Response(b"", status_code=304, headers=told)
    return Response(body, status_code=200, media_type=media_type, headers=told)


def _has(if_none_match: str | None, tag: str) -> bool:
    if if_none_match is None:
        return False
    tags = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return "*" in tags or tag in tags
