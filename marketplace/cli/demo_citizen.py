"""A citizen of the demo: signs in at the fake VNeID as a browser would, and speaks with a token of her own."""

from __future__ import annotations

import html
import http.cookiejar
import json
import re
import urllib.parse
import urllib.request

from marketplace.cli.client import Client

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
CITIZEN = re.compile(r'name="citizen" value="([^"]+)"')
CSRF = re.compile(r'name="subject_csrf" value="([^"]+)"')
TIMEOUT_S = 20


def citizens_of(url: str) -> list[str]:
    """Whom one can be at the provider."""
    return CITIZEN.findall(_Browser().get(f"{url}/toi/sign-in")[1])


def sign_in(url: str, citizen: str) -> Client:
    """A client with that citizen's token. Raises IndexError where a page is not as we know it."""
    browser = _Browser()
    address, page = browser.get(f"{url}/toi/sign-in")
    fields = {html.unescape(name): html.unescape(value) for name, value in HIDDEN.findall(page)}
    _, mine = browser.post(urllib.parse.urljoin(address, "/authorize"), fields | {"citizen": citizen})
    csrf = CSRF.findall(mine)[0]
    _, made = browser.post(f"{url}/api/v1/subject/tokens", {}, {"X-Subject-CSRF-Token": csrf})
    return Client(url, str(json.loads(made)["token"]))


class _Browser:
    """Keeps cookies, follows redirects, runs no script."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)

    def get(self, url: str) -> tuple[str, str]:
        """Where it ended, and the page."""
        return self._open(urllib.request.Request(url, headers={"Accept": "text/html"}))  # noqa: S310 - our own

    def post(self, url: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> tuple[str, str]:
        """The same after a form was sent."""
        data = urllib.parse.urlencode(fields).encode()
        return self._open(urllib.request.Request(url, data=data, headers=headers or {}))  # noqa: S310 - our own

    def _open(self, request: urllib.request.Request) -> tuple[str, str]:
        with self._opener.open(request, timeout=TIMEOUT_S) as answer:
            return answer.url, answer.read().decode()
