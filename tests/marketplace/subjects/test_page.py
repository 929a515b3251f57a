"""`/toi` in a real browser: by keyboard alone, on a phone and on a desk."""

from __future__ import annotations

import pytest

from tests.browser.driver import open_browser
from tests.market import Market
from tests.marketplace.identity.signing import citizen
from tests.marketplace.subjects.conftest import SLUG

ENTER = "\ue007"


@pytest.mark.parametrize(("width", "who"), [(390, 31), (1440, 32)])
def test_the_keyboard_alone_signs_in_withdraws_and_signs_out(register: Market, width: int, who: int) -> None:
    with open_browser(width=width) as browser:
        browser.go(f"{register.url}/toi")
        browser.type("a[href='/toi/sign-in']", ENTER, clear=False)
        browser.type(f"button[value='{citizen(who)}']", ENTER, clear=False)
        card = f"li.card:has(a[href='/datasets/{SLUG}'])"
        browser.find(card)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        browser.type(f"{card} button.danger", ENTER, clear=False)
        assert "rút lại đồng ý" in browser.wait_text("[role=status]", "truy vấn tiếp theo")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        browser.type("form[action='/toi/sign-out'] button", ENTER, clear=False)
        browser.find("a[href='/toi/sign-in']")
        assert browser.errors() == []
