"""Every refusal and every failure has words in both languages, and the words name only what the error carries."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

import sandbox
from sandbox.job import FailureCode
from sandbox.plan.errors import RefusalCode
from sandbox.plan.limits import STEPS
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.spec import REFUSED

TEXTS = json.loads((Path(sandbox.__path__[0]) / "texts.json").read_text("utf-8"))


def test_each_code_has_a_text_and_each_text_a_code() -> None:
    assert set(TEXTS) == set(get_args(RefusalCode)) | set(get_args(FailureCode))


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_a_text_says_what_why_and_what_next_in_both_languages(code: str) -> None:
    names = []
    for language in ("vi", "en"):
        text = TEXTS[code][language]
        assert set(text) == {"what", "why", "next"}
        assert all(len(part) > 5 for part in text.values())
        names.append(sorted(set(re.findall(r"\{(\w+)\}", " ".join(text.values())))))
    assert names[0] == names[1]


def test_the_steps_of_a_recursion_are_told_as_they_are() -> None:
    text = TEXTS["sandbox.too_many_steps"]
    assert f"{STEPS:,}" in text["en"]["why"]
    assert f"{STEPS:,}".replace(",", ".") in text["vi"]["why"]


def test_each_refusal_carries_what_its_text_names(world: World) -> None:
    for group in REFUSED.values():
        for sql, code, _ in group:
            params = world.refusal(sql).params
            for text in TEXTS[code].values():
                for part in text.values():
                    assert "{" not in part.format(**params)
