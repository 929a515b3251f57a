"""The first suite of a dataset, from its manifest and a profile of its data; its owner then edits it."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.manifest import Manifest, ManifestColumn
from catalog.quality.suite import Arguments, Axis, Expectation, Purpose, Suite, Type
from catalog.quality.wire import Bin, Profile

PRESENT_MOSTLY = 0.95
SEEN_MOSTLY = 0.99
FEW_VALUES = 20
PLAUSIBLE = ("1900-01-01", "2100-01-01")
WITHOUT_BROKEN_LETTERS = "^[^\\x{FFFD}]*$"
"""U+FFFD stands where bytes were no text in the encoding that was believed."""
LONGEST_TEXT = 500


def generate(manifest: Manifest, profile: Profile | None = None) -> Suite:
    """Expectations of all columns that describe persons. `profile`: of the data as it is, in bins of k persons at
    least; how full a column is and which few values it has are then expected of what comes later too."""
    rows = Expectation(
        type="expect_table_row_count_to_be_between", arguments=Arguments(min_value=2 * manifest.k),
        purpose=Purpose(axis="complete", critical=True, why="k"),
    )  # fmt: skip
    bins = {c.name: c.bins for c in profile.columns} if profile is not None else {}
    columns = manifest.columns_of("quasi-identifier", "sensitive", "measure")
    expected = (e for c in columns for e in _of_column(c, bins.get(c.sql_name, ())))
    return Suite(name=manifest.dataset, expectations=(rows, *expected))


def _of_column(column: ManifestColumn, bins: tuple[Bin, ...]) -> Iterator[Expectation]:
    name = column.sql_name
    full = Arguments(column=name, mostly=_full(bins))
    yield _expect("expect_column_values_to_not_be_null", "complete", full, "seen" if bins else "")
    if column.bounds is not None:
        limits = Arguments(column=name, min_value=column.bounds.lower, max_value=column.bounds.upper)
        yield _expect("expect_column_values_to_be_between", "accurate", limits, "bounds")
    known, why = _known(column, bins)
    if known:
        mostly = 1.0 if why != "seen" else SEEN_MOSTLY
        values = Arguments(column=name, value_set=known, mostly=mostly)
        yield _expect("expect_column_values_to_be_in_set", "accurate", values, why)
    if column.type in ("date", "timestamp"):
        days = Arguments(column=name, min_value=PLAUSIBLE[0], max_value=PLAUSIBLE[1])
        yield _expect("expect_column_values_to_be_between", "accurate", days, "plausible")
    if column.type == "text":
        letters = Arguments(column=name, regex=WITHOUT_BROKEN_LETTERS)
        yield _expect("expect_column_values_to_match_regex", "clean", letters, "letters")
        lengths = Arguments(column=name, min_value=1, max_value=LONGEST_TEXT)
        yield _expect("expect_column_value_lengths_to_be_between", "clean", lengths)


def _full(bins: tuple[Bin, ...]) -> float:
    """A whole percent below what it is now."""
    persons = sum(b.persons for b in bins)
    if not persons:
        return PRESENT_MOSTLY
    empty = sum(b.persons for b in bins if b.label is None)
    return max(100 * (persons - empty) // persons - 1, 0) / 100


def _known(column: ManifestColumn, bins: tuple[Bin, ...]) -> tuple[tuple[str, ...], str]:
    """Every value of a text that there may be, and who says so."""
    if column.type != "text":
        return (), ""
    if column.values is not None:
        return column.values, "values"
    transform = column.transform
    if transform is not None and transform.groups is not None and transform.otherwise is None:
        return tuple(value for values in transform.groups.values() for value in values), "groups"
    labels = tuple(b.label for b in bins if b.label)
    if 0 < len(labels) <= FEW_VALUES and not any(b.label == "" for b in bins):
        return labels, "seen"
    return (), ""


def _expect(kind: Type, axis: Axis, arguments: Arguments, why: str = "") -> Expectation:
    return Expectation(type=kind, arguments=arguments, purpose=Purpose(axis=axis, why=why))
