"""What is wrong with a suite before any data is looked at: it contradicts the manifest, or itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from catalog.errors import ManifestError, ManifestRefused
from catalog.manifest import Manifest
from catalog.quality.columns import checked_columns
from catalog.quality.suite import LOOKAROUND, Arguments, Expectation, Limit, Suite, Type

_NEEDS: Final[dict[Type, tuple[str, ...]]] = {
    "expect_column_values_to_not_be_null": ("column",),
    "expect_column_values_to_be_unique": ("column",),
    "expect_compound_columns_to_be_unique": ("column_list",),
    "expect_column_values_to_be_in_set": ("column", "value_set"),
    "expect_column_values_to_match_regex": ("column", "regex"),
    "expect_column_pair_values_a_to_be_greater_than_b": ("column_a", "column_b"),
}
_NUMBERS: Final = ("BIGINT", "DOUBLE")
_OF_TYPE: Final[dict[Type, tuple[str, ...]]] = {
    "expect_column_values_to_match_regex": ("VARCHAR",),
    "expect_column_value_lengths_to_be_between": ("VARCHAR",),
    "expect_column_mean_to_be_between": (*_NUMBERS, "BOOLEAN"),
}
_COUNTS: Final = (
    "expect_table_row_count_to_be_between", "expect_column_value_lengths_to_be_between",
    "expect_column_unique_value_count_to_be_between", "expect_column_mean_to_be_between",
)  # fmt: skip
Wrong = tuple[str, dict[str, Any]]


def require_fit(suite: Suite, manifest: Manifest) -> None:
    """Raises ManifestRefused with every error; `line` is the place of the expectation in the suite, from 1."""
    types = {c.name: c.type for c in checked_columns(manifest)}
    errors = [
        ManifestError(line=place, column=0, code=code, params={"place": place, **params})
        for place, expectation in enumerate(suite.expectations, 1)
        for code, params in _wrong(expectation, types, manifest)
    ]
    if errors:
        raise ManifestRefused(tuple(errors))


def _wrong(expectation: Expectation, types: dict[str, str], manifest: Manifest) -> Iterator[Wrong]:
    arguments = expectation.arguments
    needed = _NEEDS.get(expectation.type)
    if needed is None:
        table = expectation.type == "expect_table_row_count_to_be_between"
        needed = () if table else ("column",)
        if arguments.min_value is None and arguments.max_value is None:
            yield "quality.argument_missing", {"argument": "min_value"}
    for name in needed:
        if getattr(arguments, name) is None:
            yield "quality.argument_missing", {"argument": name}
    for name in expectation.columns:
        if name not in types:
            yield "quality.unknown_column", {"name": name}
        elif types[name] not in _OF_TYPE.get(expectation.type, (types[name],)):
            yield "quality.not_of_type", {"name": name, "type": types[name]}
    if arguments.regex is not None and LOOKAROUND.search(arguments.regex):
        yield "quality.lookaround", {}
    yield from _limits(expectation, types.get(arguments.column or ""))
    yield from _against(arguments, manifest)


def _limits(expectation: Expectation, kind: str | None) -> Iterator[Wrong]:
    arguments = expectation.arguments
    low, high = arguments.min_value, arguments.max_value
    if expectation.type in _COUNTS:
        kind = "DOUBLE"
    limits = [v for v in (low, high, *(arguments.value_set or ())) if v is not None]
    if kind is not None and any(not _is_of(v, kind) for v in limits):
        yield "quality.not_of_type", {"name": arguments.column or "", "type": kind}
    elif low is not None and high is not None and isinstance(low, str) == isinstance(high, str) and low > high:  # type: ignore[operator]
        yield "quality.limits_crossed", {}


def _is_of(value: Limit, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "BOOLEAN"
    return isinstance(value, str) == (kind in ("VARCHAR", "DATE", "TIMESTAMP")) and kind != "BOOLEAN"


def _against(arguments: Arguments, manifest: Manifest) -> Iterator[Wrong]:
    """A set of values that leaves out what the manifest says there is can only fail."""
    column = next((c for c in manifest.columns if c.sql_name == arguments.column), None)
    if column is None or arguments.value_set is None:
        return
    groups = column.transform.groups if column.transform is not None else None
    said = column.values or tuple(v for values in (groups or {}).values() for v in values)
    missing = sorted(set(said) - set(map(str, arguments.value_set)))
    if missing:
        yield "quality.contradicts_manifest", {"name": column.sql_name, "missing": len(missing)}
