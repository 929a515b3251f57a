"""Signing in: cookies that scripts cannot read, forms that nobody else can send, and a limit on guesses."""

from __future__ import annotations

import pytest

from marketplace.accounts.callers import COOKIE
from marketplace.accounts.devices import cookie_name
from marketplace.web.links import own_path
from tests.browser.conftest import PASSWORD, Visit
from tests.marketplace.agreements.conftest import Sides


async def test_a_page_for_members_leads_to_sign_in_and_back(visit: Visit, sides: Sides) -> None:
    async with visit() as anonymous:
        sent = await anonymous.get("/queries?cursor=")
        assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fqueries%3Fcursor%3D")
        page = await anonymous.get(sent.headers["location"])
        assert 'name="next" value="/queries?cursor="' in page.text


async def test_the_session_cookie_is_closed_to_scripts_and_other_sites(visit: Visit, sides: Sides) -> None:
    async with visit(sides.startup) as signed_in:
        assert (await signed_in.get("/login?next=/wallet")).headers["location"] == "/wallet"
    async with visit() as fresh:
        answer = await fresh.sign_in(sides.startup.person.email, next_path="/wallet")
        cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(COOKIE))
        assert answer.headers["location"] == "/wallet"
        assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
        assert sides.startup.person.name in (await fresh.get("/")).text


async def test_a_browser_that_signed_in_once_is_known_at_the_next_sign_in_and_nowhere_else(
    visit: Visit, sides: Sides
) -> None:
    email = sides.startup.person.email
    async with visit() as visitor:
        answer = await visitor.sign_in(email)
        cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(cookie_name(email)))
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"httponly", "samesite=strict", "path=/login"} <= parts
    async with visit() as stranger:
        assert cookie_name(email) not in (await stranger.sign_in(email, "wrong")).cookies


async def test_a_wrong_password_says_so_and_keeps_the_address_typed(visit: Visit, sides: Sides) -> None:
    async with visit() as visitor:
        answer = await visitor.sign_in(sides.startup.person.email, "wrong")
        assert answer.status_code == 401
        assert sides.startup.person.email in answer.text
        assert COOKIE not in answer.cookies
        assert PASSWORD not in answer.text


async def test_a_sign_in_form_from_elsewhere_is_refused(visit: Visit, sides: Sides) -> None:
    async with visit(sides.startup) as owner_of_password:
        await owner_of_password.get("/")
    async with visit() as visitor:
        fields = {"login_token": "forged", "email": sides.startup.person.email, "password": PASSWORD}
        answer = await visitor.http.post("/login", data=fields, follow_redirects=False)
        assert answer.status_code == 403
        assert COOKIE not in answer.cookies


@pytest.mark.parametrize("token", ["", "forged"])
async def test_a_form_without_the_sessions_token_changes_nothing(visit: Visit, sides: Sides, token: str) -> None:
    async with visit(sides.startup) as visitor:
        answer = await visitor.send("/tokens", {"name": "máy chủ", "scopes": "read"}, csrf=token)
        assert answer.status_code == 403
        assert "máy chủ" not in (await visitor.get("/tokens")).text


async def test_signing_out_ends_the_session_itself(visit: Visit, sides: Sides) -> None:
    async with visit(sides.startup) as visitor:
        kept = visitor.http.cookies[COOKIE]
        assert (await visitor.send("/logout", {})).status_code == 303
        visitor.http.cookies.set(COOKIE, kept)
        assert (await visitor.get("/wallet")).status_code == 303


@pytest.mark.parametrize(
    "given", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb"]
)
def test_nobody_is_sent_to_another_site(given: str) -> None:
    assert own_path(given) == "/"


def test_an_address_of_ours_is_kept() -> None:
    assert own_path("/console?agreement=1") == "/console?agreement=1"
