"""Every code has words in both languages, and the documents say what the rules do."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from policies import answer, sources
from policies.gates import EVERY_FACT, annotated, cases_of, laws, table
from policies.wasm import WasmEngine
from tests.policies.cases import ALL, question

Text = dict[str, dict[str, str]]
TEXTS = msgspec.json.decode((sources.FOLDER / "texts.json").read_bytes(), type=dict[str, Text])
DOCUMENT = Path(__file__).parents[2] / "docs" / "decisions.md"
ENGINE_CODES = {
    code
    for path in sources.FOLDER.glob("*.py")
    for code in re.findall(r'denial\(\s*"(policy\.[a-z_]+)"', path.read_text(encoding="utf-8"))
}


REMEDY = "remedy."


def _codes() -> set[str]:
    denials = {a.custom.code for a in annotated() if a.is_denial and EVERY_FACT not in a.custom.code}
    return (
        denials | {f"{fact['gate']}.missing" for fact in sources.data()["facts"]["access"].values()} | ENGINE_CODES
    )


def _remedies() -> set[str]:
    given = {a.custom.remedy for a in annotated() if a.custom.remedy} | {answer.REMEDY}
    return {REMEDY + remedy for remedy in given}


def test_every_code_has_words_and_every_word_a_code() -> None:
    assert len(ENGINE_CODES) == 5  # the docs list them
    assert set(TEXTS) == _codes() | _remedies()


@pytest.mark.parametrize("code", TEXTS)
def test_a_text_says_what_why_and_what_next_in_both_languages(code: str) -> None:
    assert list(TEXTS[code]) == ["vi", "en"]
    for words in TEXTS[code].values():
        assert list(words) == ["what", "why", "next"]
        assert all(part.endswith(".") for part in words.values())
    assert TEXTS[code]["vi"] != TEXTS[code]["en"]
    assert _placeholders(TEXTS[code]["vi"]) == _placeholders(TEXTS[code]["en"])


@pytest.mark.parametrize("name", ALL)
async def test_the_words_of_a_denial_name_only_what_the_reason_gives(name: str, wasm_engine: WasmEngine) -> None:
    base, case = ALL[name]
    for reason in (await wasm_engine.decide(question(base, case.change))).reasons:
        assert _placeholders(TEXTS[reason.code]["vi"]) <= set(reason.params), reason


def test_every_rule_of_the_policy_is_annotated_with_a_law_that_is_configured() -> None:
    noted = annotated()
    assert {law for a in noted for law in a.custom.law} <= set(laws())
    assert all(a.custom.law and a.title and a.description for a in noted)
    assert all(a.custom.remedy for a in noted if a.is_denial)
    assert sum(a.is_gate or a.is_denial for a in noted) == sum(map(_gates_and_denials, sources.rules()))


def test_every_law_that_is_configured_is_used() -> None:
    assert {law for a in annotated() for law in a.custom.law} == set(laws())


def test_every_fact_of_a_gate_is_a_fact_of_the_question() -> None:
    facts = set(sources.data()["facts"]["access"]) | {
        "dataset.consented_purposes",
        "request.rows_cap",
        "request.rows_released",
        EVERY_FACT,
    }
    assert {fact for a in annotated() for fact in a.custom.facts} == facts


def test_each_gate_that_is_required_is_annotated_and_can_fail_to_hold() -> None:
    source = (sources.FOLDER / "access" / "access.rego").read_text(encoding="utf-8")
    required = set(re.findall(r'^\t"([\w.]+)",$', source.split("required := {")[1].split("}")[0], re.MULTILINE))
    assert required == {a.custom.code for a in annotated() if a.is_gate}
    assert required == {a.custom.gate for a in annotated() if a.is_denial and a.custom.gate}


def test_each_denial_is_tried_by_a_case() -> None:
    untried = {a.custom.code for a in annotated() if a.is_denial and not cases_of(a.custom.code)}
    assert untried == {"question.unknown_schema"}, (
        "the typed question cannot be of another form; opa test tries it"
    )


def test_the_table_in_the_docs_is_the_one_that_the_rules_make() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").split("<!-- gates -->\n")[1].split("<!-- /gates -->")[0]
    assert shown == table()


def test_the_docs_name_every_code_of_an_engine() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert {code for code in ENGINE_CODES if f"`{code}`" not in document} == set()


def _placeholders(words: dict[str, str]) -> set[str]:
    return set(_fields(words))


def _fields(words: dict[str, Any]) -> Iterator[str]:
    for part in words.values():
        yield from (name for _, name, _, _ in string.Formatter().parse(part) if name)


def _gates_and_denials(path: Path) -> int:
    return len(re.findall(r"(?m)^(?:gates|deny) contains", path.read_text(encoding="utf-8")))
