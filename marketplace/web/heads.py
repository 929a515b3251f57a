"""HEAD on what everybody may read: answered as GET is (RFC 9110, 9.3.2), without the body."""

from __future__ import annotations

from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

OPEN: Final = (
    "/api/3", "/api/v1/datasets", "/api/v1/external", "/catalog", "/datasets", "/external", "/healthz", "/help",
    "/readyz", "/robots.txt", "/schema", "/sitemap",
)  # fmt: skip
"""Beginnings of paths. Others keep to GET: to fetch an answer is an event of the log."""


class Heads:
    """Around the whole service."""

    def __init__(self, service: ASGIApp) -> None:
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As GET, with every part of the body empty; its length stays what GET's is."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD" or not _is_open(scope["path"]):
            await self.service(scope, receive, send)
            return
        as_get = scope.copy()
        as_get["method"] = "GET"

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        await self.service(as_get, receive, without_body)


def _is_open(path: str) -> bool:
    return path == "/" or path.startswith(OPEN)
