"""Which form a reader gets, and when it has it already."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.feeds.negotiation import choose

OFFERED = ("text/html", "text/turtle", "application/ld+json", "application/rdf+xml")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/turtle", "text/turtle"),
        ("TEXT/TURTLE;charset=utf-8", "text/turtle"),
        ("text/turtle;q=0.4, application/ld+json;q=0.5", "application/ld+json"),
        ("text/*;q=0.3, application/rdf+xml;q=0.2", "text/html"),
        ("text/html;q=0, text/*", "text/turtle"),
        ("*/*;q=0.1, application/rdf+xml", "application/rdf+xml"),
        ("application/ld+json;q=nan, text/turtle;q=0.1", "text/turtle"),
        ("text/turtle;q=0", None),
        ("image/png", None),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ],
)
def test_what_is_wanted_most_is_chosen(accept: str | None, chosen: str | None) -> None:
    assert choose(accept, OFFERED) == chosen


@given(st.text(max_size=200))
def test_no_header_is_too_strange(accept: str) -> None:
    assert choose(accept, OFFERED) in (None, *OFFERED)
