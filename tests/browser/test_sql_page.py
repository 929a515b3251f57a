"""The page of functions is the table that the plan reads, in both languages."""

from __future__ import annotations

import re

from sandbox.plan.functions import FUNCTIONS
from tests.browser.conftest import Visit


async def test_every_function_stands_on_the_page_once(visit: Visit) -> None:
    async with visit() as visitor:
        vi = (await visitor.get("/help/sql")).text
    assert sorted(re.findall(r'<tr id="([^"]+)"', vi)) == sorted(FUNCTIONS)
    assert "functions." not in vi, "a text is missing"
