"""Numbers as people write them in forms, and fields that do not fit."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from marketplace.errors import Invalid
from marketplace.web.figures import number
from marketplace.web.forms import fitting, fraction, whole


@given(st.integers(min_value=0, max_value=10**18 - 1), st.sampled_from(["vi", "en"]))
def test_a_whole_number_is_read_as_the_pages_show_it_and_as_digits(value: int, language: str) -> None:
    assert whole("amount", number(value, "vi" if language == "vi" else "en")) == value
    assert whole("amount", str(value)) == value


@given(st.text(alphabet="0123456789.,-e²٣ ", max_size=12))
@example("9" * 6000)
@example("1e999999")
def test_anything_else_is_a_wrong_field_and_no_other_error(text: str) -> None:
    for read in (whole, lambda name, given: fraction(name, given, decimals=6)):
        with suppress(Invalid):
            assert read("amount", text) is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1500", "1500"), ("1,5", "1.5"), ("0.125", "0.125"), ("1.000.000", "1000000"), ("12,3456", "12.3456")],
)
def test_a_fraction_is_read_with_a_comma_or_a_point(text: str, value: str) -> None:
    assert fraction("rate", text, decimals=6) == Decimal(value)


@pytest.mark.parametrize("text", ["1.000", "1,000", "25.500", "1.5.0", "1,5.0", "-1", "1.1234567", "1e3", "٣"])
def test_a_fraction_that_two_readers_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        fraction("rate", text, decimals=6)


class _Tier(Struct):
    from_query: int


class _Asked(Struct):
    name: Annotated[str, Meta(pattern=r"^[a-z.]+$")]
    tiers: list[_Tier]


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ({"name": "A", "tiers": []}, "name"),
        ({"name": "a", "tiers": [{"from_query": "x"}]}, "from_query"),
        ({"name": "a", "tiers": [1]}, "tiers"),
        ({"tiers": []}, ""),
    ],
)
def test_a_field_that_does_not_fit_is_named_however_deep_it_stands(told: object, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        fitting(told, _Asked)
    assert [each["path"] for each in refused.value.params["errors"]] == [path]
