"""Every code that can be answered has its texts, in both languages, with the same parameters."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import marketplace
from marketplace.errors import Problem
from marketplace.texts import FILES, LANGUAGES, Message, message, show, texts

PLACEHOLDER = re.compile(r"\{(\w+)\}")


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    yield kind
    for each in kind.__subclasses__():
        yield from problems(each)


def import_everything() -> None:
    for module in pkgutil.walk_packages(marketplace.__path__, "marketplace."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)


def placeholders(text: Message) -> set[str]:
    return set(PLACEHOLDER.findall(f"{text.what} {text.why} {text.next}"))


def test_every_problem_of_the_marketplace_has_a_text() -> None:
    import_everything()
    missing = {kind.code for kind in problems() if kind.code not in texts()}
    assert missing == set()


def test_every_code_that_is_written_out_has_a_text() -> None:
    code = re.compile(r'"code": "([a-z_]+\.[a-z_.]+)"|_wrong\([^,]+, "([a-z_]+\.[a-z_.]+)"')
    found = {
        match[1] or match[2]
        for path in Path(marketplace.__path__[0]).rglob("*.py")
        for match in code.finditer(path.read_text())
    }
    assert "request.cursor" in found
    assert found - texts().keys() == set()


def test_both_languages_say_all_three_things_with_the_same_parameters() -> None:
    wrong = [
        code
        for code, both in texts().items()
        if set(both) != set(LANGUAGES)
        or not all(text.what and text.why and text.next for text in both.values())
        or placeholders(both["vi"]) != placeholders(both["en"])
    ]
    assert not wrong, wrong


def test_no_code_is_written_twice() -> None:
    written = [
        code
        for path in FILES if path.exists()
        for code, _ in json.loads(path.read_text(), object_pairs_hook=list)
    ]  # fmt: skip
    assert sorted(written) == sorted(set(written))


def test_parameters_are_put_in_as_the_language_writes_them() -> None:
    params = {"needed_vnd": 12_500, "available_vnd": 0, "missing_vnd": 12_500}
    assert "12.500 đồng" in message("wallet.insufficient", params, "vi").why
    assert "12,500 đồng" in message("wallet.insufficient", params, "en").why


@pytest.mark.parametrize(
    ("value", "shown"), [(1_000, "1.000"), (True, "True"), (("a", 1_000), "a, 1.000"), ("x", "x"), (1.5, "1.5")]
)
def test_how_a_parameter_is_shown(value: object, shown: str) -> None:
    assert show(value, "vi") == shown


def test_a_parameter_that_is_missing_or_hostile_does_no_harm() -> None:
    assert "…" in message("wallet.insufficient", {}, "vi").why
    hostile = {"key": "{0.__class__} {key}"}
    assert "{0.__class__} {key}" in message("idempotency.key_reused", hostile, "en").what


def test_a_code_without_text_says_so_instead_of_failing() -> None:
    assert "no.such_code" in message("no.such_code", {}, "en").what


def test_a_sentence_that_would_name_nothing_is_not_said() -> None:
    params = {"word": "fnlwgt", "columns": "age, sex", "use": ""}
    assert message("sql.unknown_column", params, "vi").next == "Nếu cần cột khác, hãy xin thêm trong hợp đồng."
    assert message("sql.unknown_column", params | {"use": "age"}, "en").next.startswith("Nearest: age. ")
    assert message("sql.unknown_function", params, "en").next == ""


@pytest.mark.parametrize(
    ("code", "params"),
    [
        *(("spending.limit_reached", {"scope": each}) for each in ("organisation", "dataset", "person")),
        *(("payout.file_unreadable", {"why": each}) for each in ("too_long", "header", "seal", "cut", "fields")),
    ],
)
def test_a_word_of_ours_is_told_in_vietnamese_too(code: str, params: dict[str, str]) -> None:
    rest = {"line": 0, "month_vnd": 1, "spent_vnd": 1, "needed_vnd": 1}
    told = message(code, {**rest, **params}, "vi")
    assert not set(params.values()) & set(re.findall(r"\w+", f"{told.what} {told.why}"))
