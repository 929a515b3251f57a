"""What data must keep to: a suite in Great Expectations' own form, in a YAML or JSON file beside the manifest."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

Axis = Literal["accurate", "complete", "clean", "live"]
AXES: Final[tuple[Axis, ...]] = ("accurate", "complete", "clean", "live")
"""đúng, đủ, sạch, sống"""
Type = Literal[
    "expect_table_row_count_to_be_between",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_match_regex",
    "expect_column_value_lengths_to_be_between",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_mean_to_be_between",
    "expect_column_max_to_be_between",
    "expect_column_unique_value_count_to_be_between",
]
Limit = int | float | str
"""A day or an instant is ISO 8601 text."""
Name = Annotated[str, Meta(min_length=1)]
LOOKAROUND: Final = re.compile(r"\(\?(?:<?[=!]|>)")


class Arguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`mostly`: the share of the values that there are (of rows, for nulls) which must be as expected."""

    column: Name | None = None
    column_a: Name | None = field(default=None, name="column_A")
    column_b: Name | None = field(default=None, name="column_B")
    column_list: tuple[Name, ...] | None = None
    min_value: Limit | None = None
    max_value: Limit | None = None
    value_set: Annotated[tuple[Limit, ...], Meta(min_length=1, max_length=1_000)] | None = None
    regex: Annotated[str, Meta(min_length=1, max_length=1_000)] | None = None
    or_equal: bool = False
    mostly: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Purpose(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`axis` that it counts for; a version that fails what is `critical` is not published. `why`: a word of its
    owner."""

    axis: Axis
    critical: bool = False
    why: str = ""


class Expectation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Type
    arguments: Arguments = field(name="kwargs")
    purpose: Purpose = field(name="meta")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        named = (self.arguments.column, self.arguments.column_a, self.arguments.column_b)
        return (*(n for n in named if n is not None), *(self.arguments.column_list or ()))


class Suite(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`expectations` are looked at in this order."""

    name: Name
    expectations: Annotated[tuple[Expectation, ...], Meta(min_length=1, max_length=500)]
