"""What a scan is asked and what it answers: sent into the jail and out of it. No cell is in an answer."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from catalog.pii.kinds import Kind

MOST_PAIRED: Final = 12
"""Plain columns whose pairs are counted: 66 pairs; of more, the first ones in the order's order."""


class ScanOrder(Struct, frozen=True, kw_only=True):
    """`columns` of the file to look into (none: every one); `plain`: those that must not single persons out;
    `key`: the column that names a person (none: each row is one); `year`: the present one."""

    year: int
    columns: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    key: str | None = None
    null_words: tuple[str, ...] = ("", "?", "NA", "N/A", "NULL", "null")
    sample_rows: int = 2_000
    """Rows whose cells are recognised, chosen by their number: the same for the same file."""


class FoundKind(Struct, frozen=True, kw_only=True):
    """`share` of the filled cells of the sample; `examples` masked."""

    kind: Kind
    confidence: float
    share: float
    examples: Annotated[tuple[Annotated[str, Meta(max_length=24)], ...], Meta(max_length=3)] = ()


class DetectedColumn(Struct, frozen=True, kw_only=True):
    """`filled`: cells that are not blank, of all rows; `singles`: share of persons whose value nobody else has
    (None where it was not asked)."""

    name: str
    filled: int
    kinds: tuple[FoundKind, ...] = ()
    singles: float | None = None


class DetectedPair(Struct, frozen=True, kw_only=True):
    """Two plain columns; `singles` as of one column, of these persons (0: of all that were counted)."""

    first: str
    second: str
    singles: float
    persons: int = 0


class Detected(Struct, frozen=True, kw_only=True):
    """`exact`: whether every share of singles was counted; else those of columns with more than a million distinct
    values are estimated from a slice of the values, to about 0.5% of themselves."""

    rows: int = 0
    persons: int = 0
    """As far as they were counted: where something was asked to be plain."""
    sampled_rows: int = 0
    columns: tuple[DetectedColumn, ...] = ()
    pairs: tuple[DetectedPair, ...] = ()
    exact: bool = True
