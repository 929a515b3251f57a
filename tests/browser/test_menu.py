"""Where a reader is, what lies beside it, and what is not offered to whom it would turn away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace.accounts.callers import Caller
from marketplace.db.base import new_id
from marketplace.web import templating
from marketplace.web.navigation import menu_for

DANGER = re.compile(r"class=\"danger\"")


def caller(kind: str, *roles: str) -> Caller:
    return Caller(
        person_id=new_id(), person_name="", organisation_id=new_id(), organisation_name="",
        organisation_kind=kind, roles=roles, scopes=(), organisation_suspended=False, via="session",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path", "section", "link"),
    [
        ("startup", "/", "nav.section.data", "/"),
        ("startup", "/datasets/adult/apply", "nav.section.data", "/"),
        ("startup", "/wallet/statement", "nav.section.cost", "/wallet"),
        ("startup", "/wallet/top-ups/1", "nav.section.cost", "/wallet/top-ups"),
        ("operator", "/wallet/payments", "nav.section.money", "/wallet/payments"),
        ("owner", "/linkages/1", "nav.publications", "/linkages"),
        ("regulator", "/log/events/1/why", "nav.section.oversight", "/log"),
    ],
)
def test_the_longest_path_that_fits_is_where_the_reader_is(kind: str, path: str, section: str, link: str) -> None:
    menu = menu_for(caller(kind), path)
    assert menu.section is not None
    assert menu.link is not None
    assert (menu.section.word, menu.link.path) == (section, link)


def test_outside_of_the_menu_nothing_is_marked() -> None:
    assert menu_for(caller("owner"), "/walletx").section is None
    assert menu_for(None, "/login").link is None


def test_the_console_is_offered_to_analysts_only() -> None:
    offered = {}
    for roles in (("admin",), ("admin", "analyst")):
        sections = menu_for(caller("startup", *roles), "/").sections
        offered[roles] = {link.path for section in sections for link in section.links}
    assert offered["admin", "analyst"] - offered["admin",] == {"/console"}


@pytest.mark.parametrize("file", sorted(templating.FOLDER.glob("*.html")), ids=lambda file: file.name)
def test_what_cannot_be_undone_asks_once_more(file: Path) -> None:
    source = file.read_text()
    for found in DANGER.finditer(source):
        before = source[: found.start()]
        assert before.rfind('<details class="confirm"') > before.rfind("</details>")
