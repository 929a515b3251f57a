"""Every code that the catalogue can answer with has its words, in both languages."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import pytest

from tests.catalog.test_manifest import WRONG, changed, errors_of

FOLDER = Path(__file__).parents[2] / "catalog"
TEXTS = json.loads((FOLDER / "texts.json").read_text(encoding="utf-8"))
USED = sorted(
    set(
        re.findall(
            r'"((?:manifest|ingest|publication|classify|describe|pii|quality)\.(?!bin")[a-z_0-9]+)"',
            "".join(p.read_text() for p in FOLDER.rglob("*.py")),
        )
    )
)


def test_a_code_says_what_happened_why_and_what_to_do_in_both_languages() -> None:
    wrong = [
        (code, language)
        for code in USED
        for language in ("vi", "en")
        if set(told := TEXTS[code][language]) != {"what", "why", "next"} or min(map(len, told.values())) <= 5
    ]
    assert not wrong, wrong


def test_no_text_is_left_over() -> None:
    assert sorted(TEXTS) == USED


def placeholders(code: str, language: str) -> set[str]:
    texts = TEXTS[code][language].values()
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_tell_the_same_things() -> None:
    wrong = [code for code in USED if placeholders(code, "vi") != placeholders(code, "en")]
    assert not wrong, wrong


@pytest.mark.parametrize(("text", "old", "new", "code"), WRONG, ids=[f"{w[3]}-{i}" for i, w in enumerate(WRONG)])
def test_a_manifests_error_brings_every_parameter_that_its_text_names(
    text: str, old: str, new: str, code: str
) -> None:
    for error in errors_of(changed(text, old, new)):
        assert placeholders(error.code, "vi") <= set(error.params)
