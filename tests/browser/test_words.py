"""Every word of the pages stands in pages.json, in both languages; templates hold none of their own."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from marketplace.texts import texts
from marketplace.web import templating
from marketplace.web.view import NOTICES
from marketplace.web.words import language_of, say, words
from policies.decision import Decision
from policies.explaining import explained

WEB = Path(templating.__file__).parent
TEMPLATES = sorted(templating.FOLDER.glob("*.html"))
SPOKEN = {"alt", "aria-label", "placeholder", "title"}
"""Attributes that a reader sees or hears."""
NAMES = {"Sàn dữ liệu", "API", "k", "ℓ", "t", "ε", "δ", "sandulieu audit verify receipt.json --key",
         "verify.py fetch URL LOG --key KEY", "verify.py export LOG ZIP --key KEY",
         "schema/openapi.json", "Authorization: Bearer sdl_", "sdl__", "VND", "USD", "BibTeX"}  # fmt: skip
"""Names and signs that are the same in every language."""
SHOWN = re.compile(r"\{\{.*?\}\}", re.DOTALL)
STEERING = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
KEY = re.compile(r"""\bt\(\s*"([^"]+)"(\s*~)?""")
INLINE = re.compile(
    r"""<style|\sstyle=|<script(?![^>]*\ssrc=)(?! type="application/ld\+json">)"""
    r"""|\son[a-z]+=|javascript:|\|\s*safe\b"""
)
"""What would run or style in place; data for search engines does neither."""
SAID = re.compile(r"""\bsay\(\s*"([^"]+)\"""")
BEGUN = re.compile(r"""\b(?:say|known_words)\(\s*f"([^"{]+)\{""")


class Literals(HTMLParser):
    """Texts and spoken attributes that stand in a template as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found += [part.strip(" ·–—/()…,.:=") for part in re.split(r"\s{2,}|\n|·", data)]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attributes if name in SPOKEN and value]


def literals(template: str) -> Iterator[str]:
    reader = Literals()
    reader.feed(STEERING.sub(" ", SHOWN.sub("", template)))
    return (text for text in reader.found if re.search(r"[^\W\d_]", text) and text not in NAMES)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_key_has_both_languages_with_the_same_placeholders() -> None:
    assert len(words()) > 100
    assert [key for key, word in words().items() if not word.vi.strip() or not word.en.strip()] == []
    assert [key for key, word in words().items() if placeholders(word.vi) != placeholders(word.en)] == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_template_holds_no_words_of_its_own(file: Path) -> None:
    assert list(literals(file.read_text())) == []


def test_words_in_a_template_would_be_found() -> None:
    assert list(literals('<p>{{ x }} Xin chào</p><input placeholder="Search">')) == ["Xin chào", "Search"]


def names_a_parameter(key: str) -> bool:
    """`word.<code>.<parameter>.<value>`: what a problem's text calls that value."""
    about, _, _ = key.removeprefix("word.").rpartition(".")
    code, _, name = about.rpartition(".")
    said = texts()[code]["vi"] if key.startswith("word.") and code in texts() else None
    return said is not None and name in placeholders(said.what + said.why)


def test_templates_name_only_keys_that_are_there_and_use_all_of_them() -> None:
    sources = [file.read_text() for file in (*TEMPLATES, *WEB.rglob("*.py"))]
    named = [match.groups() for source in sources for match in KEY.finditer(source)]
    whole = {key for key, more in named if not more} | {match[1] for s in sources for match in SAID.finditer(s)}
    prefixes = {key for key, more in named if more} | {match[1] for s in sources for match in BEGUN.finditer(s)}
    whole |= {
        word for source in sources for word in re.findall(r'(?:Link\("[^"]+", |Section\(\s*)"([^"]+)"', source)
    }
    whole |= {key for key in words() if names_a_parameter(key)}
    assert whole <= words().keys()
    assert {p for p in prefixes if not any(key.startswith(p) for key in words())} == set()
    assert {k for k in words() if k not in whole and not k.startswith(tuple(prefixes))} == set()


def test_every_fact_that_a_gate_looks_at_has_words() -> None:
    allowed = Decision(allow=True, reasons=(), policy_revision="", engine="", facts_hash="", valid_until=0)
    facts = {fact for gate in explained(allowed).gates for fact in gate.facts}
    assert {f"fact.{name}" for name in facts} == {key for key in words() if key.startswith("fact.")}


def test_every_notice_is_said_by_a_step_and_every_step_says_one_that_there_is() -> None:
    steps = "".join(file.read_text() for file in (WEB / "handlers").glob("*.py"))
    said = set(re.findall(r"[?&]done=([a-z_]+)\"", steps))
    assert said <= NOTICES
    made = ("accepted", "rejected", "returned", "credit_", "linkage_")  # the decision's own word ends them
    assert {name for name in NOTICES - said if not name.startswith(made)} == set()


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_template_compiles_and_has_nothing_inline(file: Path) -> None:
    source = file.read_text()
    templating.environment().get_template(file.name)
    assert not INLINE.search(source)


def test_the_language_is_vietnamese_unless_english_was_chosen() -> None:
    assert [language_of(cookie) for cookie in (None, "", "fr", "en", "vi")] == ["vi", "vi", "vi", "en", "vi"]
    assert say("layout.sign_in", "vi") == "Đăng nhập"
    with pytest.raises(KeyError):
        say("no.such.key", "vi")
