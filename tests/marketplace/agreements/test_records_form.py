"""The records of an application as its form says them: a line a column, there and back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from litestar.datastructures import FormMultiDict
from msgspec import UNSET

from marketplace.errors import Invalid
from marketplace.web.forms import Form
from marketplace.web.handlers.apply import read_terms
from policies.decision import AgreedRecords

FIELDS = {
    "purpose": "research.academic",
    "justification": "x" * 20,
    "duration_days": "30",
    "people": str(uuid.uuid4()),
}


def records(said: str) -> Any:
    terms, unread = read_terms(Form(FormMultiDict([*FIELDS.items(), ("records", said)])))
    if unread is not None:
        raise unread
    return terms.promises.records


def test_a_line_is_a_column_and_its_values() -> None:
    assert records(" tinh: Hà Nội ;Huế;\r\n\nhang: Xe tải: nặng") == (
        AgreedRecords(column="tinh", values=("Hà Nội", "Huế")),
        AgreedRecords(column="hang", values=("Xe tải: nặng",)),
    )
    assert records(" \n ") is UNSET


@pytest.mark.parametrize("said", ["tinh: " + "x" * 101, "tinh: " + "x;" * 101, "a: b\n" * 9])
def test_more_than_an_agreement_holds_is_wrong_in_words(said: str) -> None:
    with pytest.raises(Invalid) as wrong:
        records(said)
    assert wrong.value.params["errors"][0]["code"] == "application.records_form"
