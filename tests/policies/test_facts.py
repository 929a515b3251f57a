"""A question taken apart and put together again is the same question, and has the same hash."""

from __future__ import annotations

import pytest

from policies.answer import canonical
from policies.facts import NoQuestion, groups, question_of
from tests.policies.cases import ALL, question


@pytest.mark.parametrize("name", ALL)
def test_the_groups_of_a_question_make_the_question(name: str) -> None:
    base, case = ALL[name]
    asked = question(base, case.change)
    assert question_of(groups(asked)) == canonical(asked)


def test_each_party_has_its_own_group() -> None:
    texts = groups(question("rows", {}))
    assert texts.keys() == {"question", "caller", "agreement", "dataset", "request", "wallet"}
    assert "available_vnd" in texts["wallet"]
    assert not any("available_vnd" in text for name, text in texts.items() if name != "wallet")


@pytest.mark.parametrize(
    "texts",
    [{}, {"caller": "{}"}, {"question": "[]"}, {"question": "{"}, {"question": '{"caller":1}', "caller": "{}"}],
)
def test_what_makes_no_question_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(NoQuestion):
        question_of(texts)
