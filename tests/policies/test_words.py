"""Every code has words in both languages, and the documents say what the rules do."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from policies import answer, sources
from policies.gates import DOCUMENTS, EVERY_FACT, Annotation, annotated, cases_of, table
from policies.laws import IN_REGO, bases, laws
from policies.nearest import KINDS
from policies.wasm import WasmEngine
from tests.policies.cases import ALL, question

Text = dict[str, dict[str, str]]
TEXTS = msgspec.json.decode((sources.FOLDER / "texts.json").read_bytes(), type=dict[str, Text])
DOCUMENT = Path(__file__).parents[2] / "docs" / "decisions.md"
MARKETPLACE = Path(__file__).parents[2] / "marketplace"
ENGINE_CODES = {
    code
    for path in sources.FOLDER.glob("*.py")
    for code in re.findall(r'(?:denial|fault)\(\s*"(policy\.[a-z_]+)"', path.read_text(encoding="utf-8"))
}


REMEDY = "remedy."
BASES_OF_MANIFESTS = {"data-law-60-2024", "personal-data-law-91-2025"}
"""Laws that manifests name as their basis, and no rule as its own."""
READ_BY = {
    "vat-law-48-2024.rate": "billing/split.py",
    "exchange.shares": "billing/split.py",
    "decree-356-2025.breach": "oversight/incidents.py",
    "decree-53-2022.logs": "oversight/archive.py",
    "exchange.oversight": "oversight/rules/rule.py",
}
"""Laws that no rule measures against, and which module of the marketplace does."""
OTHER_FACTS = {
    "access": {
        "dataset.consented_purposes",
        "agreement.purpose_judged",
        "dataset.state_class",
        "caller.organisation_slug",
        "request.rows_cap",
        "request.rows_released",
        "budget.cost_micro",
        "budget.left_micro",
        "budget.epsilon",
    },
    "agreement": {"applicant.organisation_slug"},
    "listing": {
        "previous.state_class",
        "previous.personal_class",
        "manifest.privacy",
        "manifest.quality",
        "version.quality",
    },
}
"""Facts that only some questions need, so that no entry of facts.json asks for them."""


def _codes() -> set[str]:
    said = {a.custom.code for a in _sayings() if EVERY_FACT not in a.custom.code}
    facts = (fact for document in DOCUMENTS for fact in sources.data()["facts"][document].values())
    return said | {f"{fact['gate']}.missing" for fact in facts} | ENGINE_CODES


def _sayings() -> list[Annotation]:
    return [a for a in annotated() if a.is_denial or a.is_warning]


def _remedies() -> set[str]:
    given = {a.custom.remedy for a in annotated() if a.custom.remedy} | {answer.REMEDY}
    return {REMEDY + remedy for remedy in given}


def test_every_code_has_words_and_every_word_a_code() -> None:
    assert len(ENGINE_CODES) == 10  # the docs list them
    assert set(TEXTS) == _codes() | _remedies() | {f"nearest.{kind}" for kind in KINDS}


def test_a_text_says_what_why_and_what_next_in_both_languages() -> None:
    wrong = [code for code in TEXTS if not _is_told_in_both(code)]
    assert not wrong, wrong


def _is_told_in_both(code: str) -> bool:
    both = TEXTS[code]
    return (
        list(both) == ["vi", "en"]
        and all(list(words) == ["what", "why", "next"] for words in both.values())
        and all(part.endswith(".") for words in both.values() for part in words.values())
        and both["vi"] != both["en"]
        and _placeholders(both["vi"]) == _placeholders(both["en"])
    )


async def test_the_words_of_a_denial_name_only_what_the_reason_gives(wasm_engine: WasmEngine) -> None:
    wrong = {}
    for name, (base, case) in ALL.items():
        reasons = (await wasm_engine.decide(question(base, case.change))).reasons
        if told := [r for r in reasons if not _placeholders(TEXTS[r.code]["vi"]) <= set(r.params)]:
            wrong[name] = told
    assert not wrong, wrong


def test_every_rule_of_the_policy_is_annotated_with_a_law_that_is_configured() -> None:
    noted = annotated()
    assert {law for a in noted for law in a.custom.law} <= set(laws())
    assert all(a.custom.law and a.title and a.description for a in noted)
    assert all((a.custom.remedy and a.custom.gate) or a.custom.code == "*.missing" for a in _sayings())
    rules = sum(a.is_gate or a.is_denial or a.is_warning for a in noted)
    assert rules == sum(map(_rules_of, sources.rules())) > 100


def test_every_law_that_is_configured_is_used() -> None:
    used = {law for a in annotated() for law in a.custom.law}
    assert set(laws()) - used == BASES_OF_MANIFESTS | set(READ_BY)
    sources_of = {law: (MARKETPLACE / file).read_text(encoding="utf-8") for law, file in READ_BY.items()}
    assert all(f'"{law}"' in source for law, source in sources_of.items())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_fact_of_a_gate_is_a_fact_of_the_question(document: str) -> None:
    facts = {fact for a in annotated() if a.document == document for fact in a.custom.facts}
    assert facts == set(sources.data()["facts"][document]) | OTHER_FACTS[document] | {EVERY_FACT}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_gate_that_is_required_is_annotated_and_can_fail_to_hold(document: str) -> None:
    source = (sources.FOLDER / document / f"{document}.rego").read_text(encoding="utf-8")
    required = set(re.findall(r'^\t"([\w.]+)",$', source, re.MULTILINE))
    mine = [a for a in annotated() if a.document == document]
    assert required == {a.custom.code for a in mine if a.is_gate}
    assert required == {a.custom.gate for a in mine if a.is_denial and a.custom.gate}


def test_what_a_document_says_is_tried_by_a_case() -> None:
    untried = {a.custom.code for a in _sayings() if not cases_of(a.custom.code, a.document)}
    assert untried == {"question.unknown_schema", "mode.unknown", "version.mode_unknown"}, (
        "the typed question cannot be of another form or mode; opa test tries it"
    )


def test_every_rule_has_a_law_and_every_law_a_rule_with_tests() -> None:
    assert {basis.id for basis in bases() if not basis.rules} == BASES_OF_MANIFESTS | set(READ_BY)
    untried = {rule.code for basis in bases() for rule in basis.rules if rule.tests == (IN_REGO,)}
    modes = {"mode.known", "mode.unknown", "version.mode", "version.mode_unknown"}
    assert untried == {"question.schema", "question.unknown_schema"} | modes


@pytest.mark.parametrize("id", laws())
def test_a_law_is_dated_and_its_entries_do_not_overlap(id: str) -> None:
    until: int | None = 0
    for entry in laws()[id]:
        assert entry.from_ms == _midnight_ms(entry.valid_from)
        assert entry.until_ms == (_midnight_ms(entry.valid_to) if entry.valid_to else None)
        assert until is not None
        assert entry.from_ms >= until
        until = entry.until_ms


def _midnight_ms(date: str) -> int:
    """Of a day in Viet Nam."""
    return round(datetime.fromisoformat(f"{date}T00:00:00+07:00").timestamp() * 1000)


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


def _rules_of(path: Path) -> int:
    return len(re.findall(r"(?m)^(?:gates|deny|told) contains", path.read_text(encoding="utf-8")))
