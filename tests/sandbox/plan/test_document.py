"""The page about SQL says what the code does."""

from __future__ import annotations

from sandbox.plan.functions import FUNCTIONS
from tests.sandbox.plan.document import PAGE, document


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == document(), "run: python -m tests.sandbox.plan.document"


def test_the_page_names_every_function() -> None:
    page = PAGE.read_text("utf-8")
    assert [name for name, function in FUNCTIONS.items() if f"| `{function.signature}` |" not in page] == []
