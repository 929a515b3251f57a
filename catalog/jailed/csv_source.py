"""An owner's CSV as Arrow batches of text: delimiter detected, ragged rows counted, sizes bounded."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from catalog.jailed.bounded import GZIP, NulByte
from catalog.jailed.encoding import Text
from catalog.jailed.refused import Refused, shown
from catalog.jailed.rejected import Skipped

_BLOCK_BYTES = 8 * 1024 * 1024
_VALUE = re.compile(r"\S@\S|\d{7}|\d{3}[ .]\d{3}[ .]\d{3}|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{4}\b|\b\d{4}-\d\d-\d\d\b")
_DELIMITERS = (",", ";", "\t", "|")


class CsvSource:
    """What a file turned out to be, and its batches. `wanted` None: every column."""

    def __init__(
        self,
        file: BinaryIO,
        wanted: Sequence[str] | None,
        *,
        max_bytes: int,
        encoding: str | None = None,
        nameless: bool = False,
    ) -> None:
        self.kind = "csv.gz" if file.peek(2)[:2] == GZIP else "csv"  # type: ignore[attr-defined]
        self.text = Text(file, max_bytes=max_bytes, declared=encoding)
        self.encoding = self.text.encoding.name
        header, self.delimiter = _header(self.text.beginning(), wanted or ())
        self.own_names: list[str] | None = None
        self.titles = 1
        if nameless:
            self.titles = 0 if has_data(header) else 1
            header = self.own_names = told_apart(header if self.titles else [""] * len(header))
        self.wanted = tuple(tidy(name) for name in header) if wanted is None else tuple(wanted)
        self.raw_names = matched(header, self.wanted)
        self.skipped = Skipped("ingest.row_fields")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order, each a dictionary of texts. Raises Refused."""
        try:
            for batch in self._reader():
                yield pa.RecordBatch.from_arrays(batch.columns, names=list(self.wanted))
        except (UnicodeDecodeError, NulByte) as e:
            raise self.text.explained(e) from e
        except pa.ArrowInvalid as e:
            raise self._explained(str(e)) from e

    def _reader(self) -> Any:
        text = pa.dictionary(pa.int32(), pa.string())
        return arrow_csv.open_csv(
            self.text.utf8(),
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                column_names=self.own_names,
                skip_rows_after_names=self.titles if self.own_names else 0,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=_Ragged(self.skipped)
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=self.raw_names,
                column_types=dict.fromkeys(self.raw_names, text),
                strings_can_be_null=False,
                null_values=[],
            ),
        )

    def _explained(self, message: str) -> Refused:
        """Arrow's message may hold cells; only its kind is passed on."""
        if "UTF8" in message or "utf" in message.lower():
            return self.text.explained(None)
        if "straddling" in message:
            return Refused("ingest.row_too_long", max_bytes=_BLOCK_BYTES)
        return Refused("ingest.not_csv")


class _Ragged:
    """Takes rows with too many or too few fields out, but for their numbers."""

    def __init__(self, skipped: Skipped) -> None:
        self.skipped = skipped

    def __call__(self, row: Any) -> str:
        self.skipped.expected = row.expected_columns
        self.skipped.add(row.number)
        return "skip"


def _header(text: str, wanted: Sequence[str]) -> tuple[list[str], str]:
    """The header's names as they stand in the file, under the delimiter that finds most of the wanted ones."""
    best: tuple[int, int, list[str], str] | None = None
    for delimiter in _DELIMITERS:
        try:
            names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        found = len({tidy(n) for n in names} & set(wanted))
        if best is None or (found, len(names)) > best[:2]:
            best = (found, len(names), names, delimiter)
    if best is None:
        raise Refused("ingest.not_csv")
    return best[2], best[3]


def tidy(name: str) -> str:
    """A column's name without blanks around it, composed (NFC)."""
    return unicodedata.normalize("NFC", name).strip()


def has_data(header: Sequence[str]) -> bool:
    """Whether the first row holds values: a day, a mailbox, a long number is no column's name."""
    return any(_VALUE.search(name) for name in header)


def told_apart(header: Sequence[str]) -> list[str]:
    """Names that differ: "#3" for the third column if it has none, "tên #3" if it has another's."""
    made: list[str] = []
    for place, name in enumerate(map(tidy, header), 1):
        unique = name if name and name not in made else f"{name} #{place}".strip()
        made.append(unique if unique not in made else f"#{place}")
    return made


def matched(header: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The header's own spelling of each wanted name. Raises Refused with all that are absent or there twice."""
    names = [tidy(n) for n in header]
    absent_or_twice(names, wanted)
    return [header[names.index(n)] for n in wanted]


def absent_or_twice(names: Sequence[str], wanted: Sequence[str]) -> None:
    """Raises Refused with all wanted names that are absent, or all names that are there twice.

    Columns without a name cannot be wanted, so there may be several.
    """
    known = set(names)
    absent = [n for n in wanted if n not in known]
    if absent:
        raise Refused("ingest.columns_absent", names=absent)
    twice = sorted(n for n, count in Counter(names).items() if count > 1 and n)
    if twice and has_data(names):
        raise Refused("ingest.no_header")
    if twice:
        raise Refused("ingest.columns_twice", columns=shown(twice))
