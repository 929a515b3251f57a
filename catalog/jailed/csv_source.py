"""An owner's CSV as Arrow batches of text: delimiter and header found, ragged rows counted, sizes bounded."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from catalog.jailed.bounded import GZIP, NulByte
from catalog.jailed.encoding import Text
from catalog.jailed.header import (
    PROBE_ROWS,
    chosen,
    found_in,
    has_data,
)
from catalog.jailed.layout import Head, head_of
from catalog.jailed.refused import Refused
from catalog.jailed.rejected import Skipped
from catalog.jailed.totals import LABEL_COLUMNS, Totals

_BLOCK_BYTES = 8 * 1024 * 1024
_PROBE_CELLS = 20_000
_DELIMITERS = (",", ";", "\t", "|")


class CsvSource:
    """What a file turned out to be, and its batches. `wanted` None: every column."""

    formula_errors = 0

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
        self.delimiter, head = _head(self.text.beginning(), wanted or ())
        if nameless and has_data(head.names):
            head = Head(above=0, depth=0, names=("",) * len(head.names), numbered=False)
        self.header_row, self.header_rows = head.above, head.depth
        self.wanted, self.places = chosen(head.names, wanted, nameless=nameless)
        self.width, self.above = len(head.names), head.above
        self.skipped = Skipped("ingest.row_fields", first=self.above + 1)
        self.totals = Totals(numbered=head.numbered)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order, each a dictionary of texts. Raises Refused."""
        labels = range(min(LABEL_COLUMNS, self.width))
        read = list(dict.fromkeys([*self.places, *labels]))
        try:
            for batch in self._reader([str(place) for place in read]):
                self.totals.look([batch.column(read.index(place)) for place in labels], batch.columns)
                columns = [batch.column(i) for i in range(len(self.places))]
                yield pa.RecordBatch.from_arrays(columns, names=list(self.wanted))
        except (UnicodeDecodeError, NulByte) as e:
            raise self.text.explained(e) from e
        except pa.ArrowInvalid as e:
            raise self._explained(str(e)) from e

    def _reader(self, read: list[str]) -> Any:
        text = pa.dictionary(pa.int32(), pa.string())
        return arrow_csv.open_csv(
            self.text.utf8(),
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                # By place: the file's own names may be there twice, and its header need not be its first row.
                column_names=[str(place) for place in range(self.width)],
                skip_rows_after_names=self.above,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=_Ragged(self.skipped)
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=read,
                column_types=dict.fromkeys(read, text),
                strings_can_be_null=False,
                null_values=[],
            ),
        )

    def _explained(self, message: str) -> Refused:
        """Arrow's message may hold cells; only its kind is passed on."""
        if "UTF8" in message or "utf" in message.lower():
            return self.text.explained(None)
        if "straddling" in message:
            if self.text.is_one_line:  # Arrow passes over a header only where a line ends it
                return Refused("ingest.no_rows")
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


def _head(text: str, wanted: Sequence[str]) -> tuple[str, Head]:
    """The delimiter that finds most of the wanted names, and cuts the rows below the header alike."""
    best: tuple[tuple[int, bool, int], str, Head] | None = None
    for delimiter in _DELIMITERS:
        rows = _first_rows(text, delimiter)
        if not rows:
            continue
        head = head_of(rows, wanted)
        width = len(head.names)
        usual = Counter(len(row) for row in rows[head.above :] if row).most_common(1)
        rank = (found_in(head.names, wanted), not usual or usual[0][0] == width > 1, width)
        if best is None or rank > best[0]:
            best = rank, delimiter, head
    if best is None:
        raise Refused("ingest.not_csv")
    return best[1:]


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    """A few, fewer of very wide ones; those before one that cannot be read."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), PROBE_ROWS):
            rows.append(row)
            if sum(map(len, rows)) > _PROBE_CELLS:
                break
    return rows
