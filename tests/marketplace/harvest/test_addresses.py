"""What may be asked and linked, and what comes of others' texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.metadata.reading.external import MOST_CHARACTERS, address, plain
from marketplace.config import Config
from marketplace.harvest.addresses import is_public, require_address
from marketplace.harvest.errors import AddressRefused
from marketplace.harvest.fetching import PublicOnly


@pytest.mark.parametrize(
    ("number", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::7f00:1", False),
        ("2002:7f00:1::", False),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("fec0::1", False),
        ("127.1", False),
        ("2130706433", False),
        ("", False),
    ],
)
def test_only_public_numbers_are_public(number: str, public: bool) -> None:
    assert is_public(number) is public


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1/", "private"),
        ("http://127.1/", "private"),
        ("http://0x7f000001/", "private"),
        ("http://2130706433/", "private"),
        ("http://[::1]/", "private"),
        ("http://localhost/", "private"),
        ("http://db.local/", "private"),
        ("http://data.example:5432/", "port"),
        ("ftp://data.example/", "not_an_address"),
        ("http://user:secret@data.example/", "not_an_address"),
        ("http://[/", "not_an_address"),
        ("http://data.example:99999/", "not_an_address"),
    ],
)
def test_addresses_that_lead_inwards_are_refused(url: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        require_address(url, Config())
    assert refused.value.params["reason"] == reason


def test_the_operator_may_let_a_host_be_asked() -> None:
    config = Config(harvest_allowed_hosts="db.local, 10.0.0.7")
    for url in ("http://db.local:5000/x", "http://10.0.0.7/", "https://data.example/data.json"):
        assert require_address(url, config) == url


async def test_a_name_that_leads_inwards_is_not_connected_to() -> None:
    with pytest.raises(OSError, match="localhost"):
        await PublicOnly(frozenset()).resolve("localhost", 80)
    assert await PublicOnly(frozenset({"localhost"})).resolve("localhost", 80)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Đường  bộ\n\t2025", "Đường bộ 2025"),
        ("<p>a</p><p>b</p>", "a b"),
        ("a < b & c > d", "a < b & c > d"),
        ("x<script>alert(1)</script>y", "x y"),
        ("&lt;script&gt;", "<script>"),
        ("\u202eexe.\u200bgpj\ufeff", "exe.gpj"),
        ("<!-- c -->z<!DOCTYPE html>", "z"),
        ("<!-- <b>c</b> --><p class='x'>z</p><SCRIPT>a<b</SCRIPT>&amp;", "z &"),
        ("<![<![a", "<![<![a"),
        ("<a " * 30_000, "<a " * 30_000),
        ("<!--" * 25_000, "<!--" * 25_000),
        (None, ""),
        (["a"], ""),
        (7, "7"),
    ],
)
def test_texts_are_plain(text: object, shown: str) -> None:
    most = MOST_CHARACTERS["description"]
    assert plain(text) == (shown if len(shown) <= most else f"{shown[: most - 1].rstrip()}…")


@given(st.text(max_size=300))
def test_no_text_is_too_strange(text: str) -> None:
    shown = plain(text, "title")
    assert plain(shown.replace("<", "").replace("&", ""), "title") == " ".join(
        shown.replace("<", "").replace("&", "").split()
    )
    assert "\u202e" not in shown
    assert address(text) in (None, text.strip())


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://a.example/\u202ex", "//a.example", "https://a b"]
)
def test_links_are_web_addresses(link: str) -> None:
    assert address(link) is None
    assert address("https://a.example/x?y=%20") == "https://a.example/x?y=%20"
