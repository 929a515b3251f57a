"""The cookies of a citizen's sign-in, as a browser gets them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from httpx import Response
from litestar.testing import AsyncTestClient

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.identity.callers import COOKIE
from tests.browser.conftest import page_app
from tests.marketplace.identity.signing import choose, citizen


def flags(answer: Response, name: str) -> set[str]:
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}="))
    return {part.strip().lower() for part in cookie.split(";")[1:]}


@pytest.mark.parametrize("https", [False, True])
async def test_they_are_closed_to_scripts_and_other_sites_and_over_tls_sent_only_there(
    database: Database, configured: Config, https: bool
) -> None:
    public = "https://san.example/" if https else None
    app = page_app(database, msgspec.structs.replace(configured, public_url=public))
    async with AsyncTestClient(app, base_url="http://127.0.0.1:1") as http:
        begun = await http.get("/toi/sign-in", follow_redirects=False)
        assert {"httponly", "samesite=lax", "path=/toi"} <= flags(begun, "sandulieu_subject_sign_in")
        assert ("secure" in flags(begun, "sandulieu_subject_sign_in")) is https
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        base = "https://san.example" if https else "http://127.0.0.1:1"
        assert asked["redirect_uri"] == [f"{base}/toi/callback"]
        if not https:  # the fake sends nobody off this machine
            back = await http.get(choose(begun.headers["location"], citizen(1)), follow_redirects=False)
            assert {"httponly", "samesite=lax", "path=/"} <= flags(back, COOKIE)
            assert citizen(1) not in str(back.headers)


async def test_who_never_began_gets_no_session(database: Database, configured: Config) -> None:
    async with AsyncTestClient(page_app(database, configured)) as http:
        answer = await http.get("/toi/callback?code=x&state=y", follow_redirects=False)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
