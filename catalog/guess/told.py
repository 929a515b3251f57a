"""What a jail says of a file that nobody has described: figures, roles, and why; never a cell."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from catalog.pii.kinds import Kind
from catalog.reading import ManifestRole, TextType
from catalog.transforms import Transform
from catalog.version import Personal
from catalog.wire import Refusal

Reason = Literal[
    "named_identifier", "detected", "rounded", "consent", "unique", "empty", "constant",
    "too_many_values", "almost_dates", "one_sided", "decimal_unclear", "coarse_dates",
    "too_rare_together", "named_sensitive", "few_values", "yes_or_no", "dates", "numbers", "hierarchy",
]  # fmt: skip


class GuessedColumn(Struct, frozen=True, kw_only=True):
    """`values`: how many different ones; `empty_share` of the rows that were looked at."""

    name: str
    type: TextType
    role: ManifestRole
    reason: Reason
    values: int
    empty_share: float
    personal: Personal = "none"
    spellings: int = 0
    """How many of its values differ from another one by capitals, blanks or signs alone."""
    found: Kind | None = None
    """What its cells look like, where that names or finds a person."""
    transform: Transform | None = None
    fallback: Transform | None = None


class GuessReply(Struct, frozen=True, kw_only=True):
    """`rows`: those that were looked at; `whole`: whether these are all. `subject_key`: what may name the person.

    `repeated_key`: a column that is never empty and names persons, some in several rows.
    `header_row` (the last of `header_rows`), `total_rows`: where these stand, counted from 1; the latter are no
    records (the first of them).
    `ragged`: how many rows, beside `rows`, have more or fewer cells than the header; `ragged_rows`: the first.
    `formula_errors`: cells of the sheet whose formula gave an error: they are read as empty.
    `decimal`: what the numbers leave no doubt of, though single ones might be read either way.
    `null_words`: where the file has signs for nothing beside the usual words, all of them.
    `sheet`: that was asked for.
    `fine_share`: of the rows (of persons with several: their latest ones), those that keep their values in classes
    of k under what was guessed.
    """

    columns: tuple[GuessedColumn, ...] = ()
    rows: int = 0
    whole: bool = True
    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    subject_key: str = ""
    repeated_key: str = ""
    header_row: int = 0
    header_rows: int = 0
    total_rows: tuple[int, ...] = ()
    ragged: int = 0
    ragged_rows: tuple[int, ...] = ()
    formula_errors: int = 0
    decimal: Literal["", "point", "comma"] = ""
    fine_share: float = 0.0
    decimal_unclear: tuple[str, ...] = ()
    two_digit_years: bool = False
    null_words: tuple[str, ...] = ()
    sheet: str = ""
    refusal: Refusal | None = None
