"""A question taken apart and put together again is the same question, and has the same hash."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.answer import canonical
from policies.facts import NoQuestion, facts_of, question_of
from tests.examples import tried
from tests.policies.cases import ALL, question

NAMES = st.text("abcdefghij_", min_size=1, max_size=8).filter(lambda name: name != "question")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
DOCUMENTS = st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=4) | VALUES, max_size=5)


def test_the_facts_of_a_question_make_the_question() -> None:
    asked = {name: canonical(question(base, case.change)) for name, (base, case) in ALL.items()}
    wrong = [name for name, each in asked.items() if question_of(facts_of(each)) != each]
    assert not wrong, wrong


@settings(max_examples=tried(20), deadline=None)
@given(DOCUMENTS)
def test_whatever_is_taken_apart_can_be_put_together(document: dict[str, object]) -> None:
    asked = msgspec.json.encode(document, order="sorted")
    assert question_of(facts_of(asked)) == asked


def test_each_fact_stands_by_itself() -> None:
    facts = facts_of(canonical(question("rows", {})))
    assert facts["question.schema"] == '"access/1"'
    assert facts["request.purpose"] == '"product.rnd"'
    assert [name for name, value in facts.items() if "available_vnd" in name + value] == ["wallet.available_vnd"]
    assert {name.partition(".")[0] for name in facts} == {
        "question", "caller", "agreement", "dataset", "request", "wallet"
    }  # fmt: skip


def test_a_section_that_is_missing_is_a_fact_too() -> None:
    facts = facts_of(canonical(question("manifest", {})))
    assert facts["question.version"] == "null"


@pytest.mark.parametrize(
    "values",
    [
        {"question.caller": "1", "caller.id": "2"},
        {"caller": "{}"},
        {"question.at_ms": "{"},
        {"question": "1"},
        {"caller.": "1"},
    ],
)
def test_what_makes_no_question_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(NoQuestion):
        question_of(values)


def test_a_section_called_like_what_stands_outside_is_refused() -> None:
    with pytest.raises(NoQuestion):
        facts_of(b'{"question":{"at_ms":1}}')
