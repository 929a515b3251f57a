"""Somebody at the pages of a running market, with a browser that keeps cookies and knows no JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.browser.conftest import LOGIN_TOKEN, TOKEN
from tests.market import Market


class Visitor:
    """Pages as the role sees them; redirects are not followed."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def send(self, path: str, fields: dict[str, Any], **more: Any) -> httpx.Response:
        """A form with the session's CSRF token; `more`: files."""
        token = TOKEN.search(self.http.get("/help").text)
        return self.http.post(path, data={**fields, "csrf_token": token[1] if token else ""}, **more)


@contextmanager
def visiting(market: Market, role: str | None) -> Iterator[Visitor]:
    """Signed in as the role's person; None: anonymous."""
    with httpx.Client(base_url=market.url, timeout=60, headers={"Accept": "text/html"}) as http:
        if role is not None:
            token, person = LOGIN_TOKEN.search(http.get("/login").text), market.person(role)
            assert token
            fields = {"login_token": token[1], "email": person.email, "password": person.password, "next": "/"}
            assert http.post("/login", data=fields).status_code == 303
        yield Visitor(http)
