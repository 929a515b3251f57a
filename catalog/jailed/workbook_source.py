"""An owner's workbook (xlsx, xlsb, xls, ods) as Arrow batches of text: one sheet, what formulas last gave."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import python_calamine

from catalog.jailed.formula_errors import MOST_SIGNS, errors_of, member_of
from catalog.jailed.header import PROBE_ROWS, chosen
from catalog.jailed.layout import Head, head_of
from catalog.jailed.lost_letters import require_letters, require_read_once
from catalog.jailed.numbers import typed_text
from catalog.jailed.old_letters import CONVERT, old_letters
from catalog.jailed.refused import Refused, shown
from catalog.jailed.rejected import Skipped
from catalog.jailed.totals import LABEL_COLUMNS, Totals
from catalog.reading import Decimal, Reading

Merged = dict[int, list[tuple[int, int]]]
_BATCH_ROWS = 65_536
_PROBE_ROWS = 1_000
_PROBE_SIGNS = 4_000
_MOST_MEMBERS = 10_000
"""Of the archive that a workbook is: pictures and all, those of offices have some hundred."""
_MAX_BYTES = 512 * 1024 * 1024
"""Of the workbook as it is sent: it is held in memory."""
_FIRST_DAY = datetime.date(1899, 12, 30)
_FROM_1904 = re.compile(rb"""date1904\s*=\s*["'](?:1|true)""")
_SERIALS = 5_000, 80_000
"""Days of 1913 to 2119 as Excel counts them: a year alone is none of these numbers."""


class WorkbookSource:
    """`wanted` None: every column. `reading.sheet` None: the only one that holds something. Raises Refused."""

    delimiter, kind = "", "workbook"

    def __init__(
        self,
        file: BinaryIO,
        wanted: Sequence[str] | None,
        *,
        max_bytes: int,
        reading: Reading,
        nameless: bool = False,
    ) -> None:
        file.seek(0)
        content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise Refused("ingest.too_large", max_bytes=_MAX_BYTES)
        errors = _require_bounded(content, max_bytes) if content[:2] == b"PK" else {}
        self.sheet = _sheet(content, reading.sheet)
        self.formula_errors = _errors(content, errors, self.sheet.name)
        self.decimal = reading.decimal
        self.start = self.sheet.start or (0, 0)
        text = " ".join(_probe(self._rows()))
        require_letters(text)
        require_read_once(text)
        letters = old_letters(text)
        self.convert = CONVERT[letters]
        self.encoding: str = letters
        probe = [
            [self.convert(_text(cell, self.decimal) or "") for cell in row]
            for row in islice(self._rows(), PROBE_ROWS)
        ]
        head = head_of(probe, wanted or ()) if probe else Head(above=0, depth=0, names=(), numbered=False)
        header = list(head.names)
        while header and not header[-1]:
            header.pop()
        if not header:
            raise Refused("ingest.empty")
        self.above, self.header_rows = head.above, head.depth
        self.header_row = self.start[0] + head.above
        self.wanted, self.places = chosen(header, wanted, nameless=nameless)
        rows = islice(self._rows(), head.above, _PROBE_ROWS)
        self.days = (
            _days(rows) if content[:2] == b"PK" and not _FROM_1904.search(_member(content)) else frozenset()
        )
        self.skipped = Skipped("ingest.row_fields", first=self.start[0] + self.above + 1)
        self.totals = Totals(numbered=head.numbered)

    def _rows(self) -> Iterator[list[Any]]:
        rows: Iterator[list[Any]] = self.sheet.iter_rows()
        # Calamine counts rows from the first one of the sheet, however many are empty.
        return islice(rows, self.start[0], None)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order, each a dictionary of texts; empty rows hold nothing."""
        first = self.start[0] + self.above
        rows = _whole(islice(self._rows(), self.above, None), first, self._merged(first))
        while batch := list(islice(rows, _BATCH_ROWS)):
            labels = range(LABEL_COLUMNS)
            read = {place: self._column(batch, place) for place in [*self.places, *labels]}
            self.totals.look([read[place] for place in labels], list(read.values()))
            columns = [read[place] for place in self.places]
            yield pa.RecordBatch.from_arrays(columns, names=list(self.wanted))

    def _merged(self, first: int) -> Merged:
        """Cells over several rows, of those from `first` on: row → columns, each with its last row."""
        begins: Merged = {}
        most_left = self.start[1]
        for (top, left), (bottom, _) in self.sheet.merged_cell_ranges or ():
            if bottom > top >= first:
                begins.setdefault(top, []).append((left - most_left, bottom))
        return begins

    def _column(self, rows: list[list[Any]], place: int) -> pa.DictionaryArray:
        return pa.array([self._cell(row, place) for row in rows], pa.string()).dictionary_encode()

    def _cell(self, row: list[Any], place: int) -> str | None:
        if place >= len(row):
            return None
        cell = row[place]
        if (
            place in self.days
            and isinstance(cell, float)
            and cell.is_integer()
            and _SERIALS[0] <= cell < _SERIALS[1]
        ):
            return (_FIRST_DAY + datetime.timedelta(days=cell)).isoformat()
        text = _text(cell, self.decimal)
        return text and self.convert(text)


def _whole(rows: Iterator[list[Any]], first: int, merged: Merged) -> Iterator[list[Any]]:
    """Rows from the one called `first`; what a merged cell says it says of each of its rows."""
    held: dict[int, tuple[int, Any]] = {}
    for number, row in enumerate(rows, first):
        for place, (last, cell) in list(held.items()):
            if number > last:
                del held[place]
            elif place < len(row) and row[place] in ("", None):
                row[place] = cell
        for place, last in merged.get(number, ()):
            if place < len(row):
                held[place] = last, row[place]
        yield row


def _sheet(content: bytes, wanted: str | None) -> Any:
    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        sheets = [s for s in book.sheets_metadata if s.typ == python_calamine.SheetTypeEnum.WorkSheet]
        names = [sheet.name for sheet in sheets]
        shown_ones = [s.name for s in sheets if s.visible == python_calamine.SheetVisibleEnum.Visible]
        if wanted is not None:
            if wanted not in names:
                raise Refused("ingest.sheet_absent", sheet=shown([wanted]), sheets=shown(names))
            return book.get_sheet_by_name(wanted)
        # A hidden sheet is a list that the others draw from: it is read only if it is asked for.
        filled = [sheet for sheet in map(book.get_sheet_by_name, shown_ones or names) if sheet.height]
    except python_calamine.CalamineError as e:
        raise Refused("ingest.workbook_broken") from e
    except BaseException as e:
        # A fault inside the reader, which it throws past `Exception`.
        if type(e).__name__ == "PanicException":
            raise Refused("ingest.workbook_broken") from e
        raise
    if not filled:
        raise Refused("ingest.empty")
    if len(filled) > 1:
        raise Refused("ingest.several_sheets", sheets=shown(sheet.name for sheet in filled))
    return filled[0]


def _require_bounded(content: bytes, max_bytes: int) -> dict[str, int]:
    """Every member unfolded once and thrown away: what its directory announces is only a claim.

    The errors of formulas in each member that holds some.
    """
    left, errors = max_bytes, dict[str, int]()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise Refused("ingest.too_many_files", files=len(members), max=_MOST_MEMBERS)
            for member in members:
                left -= member.file_size
                if left < 0:
                    raise Refused("ingest.too_large", max_bytes=max_bytes)
                with archive.open(member) as file:
                    if count := errors_of(member.filename, file):
                        errors[member.filename] = count
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, zlib.error) as e:
        raise Refused("ingest.workbook_broken") from e
    return errors


def _errors(content: bytes, errors: dict[str, int], sheet: str) -> int:
    if not errors:
        return 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return errors.get(member_of(archive, sheet), 0)


def _days(rows: Iterator[list[Any]]) -> frozenset[int]:
    """Columns that mostly hold days: a number among them is a day that was typed where no format says so."""
    days: Counter[int] = Counter()
    filled: Counter[int] = Counter()
    for row in rows:
        held = [place for place, cell in enumerate(row) if cell not in ("", None)]
        filled.update(held)
        days.update(place for place in held if isinstance(row[place], datetime.date))
    return frozenset(place for place, count in days.items() if 3 * count > filled[place])


def _member(content: bytes) -> bytes:
    """xl/workbook.xml; empty where there is none, as in an ods."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("xl/workbook.xml") if "xl/workbook.xml" in archive.namelist() else b""


def _probe(rows: Iterator[list[Any]]) -> Iterator[str]:
    for row in islice(rows, _PROBE_ROWS):
        yield from (cell[:_PROBE_SIGNS] for cell in row if isinstance(cell, str))


def _text(cell: Any, decimal: Decimal | None) -> str | None:
    """As a CSV would have it: whole numbers without decimals, days without hours."""
    if isinstance(cell, str):
        if len(cell) > MOST_SIGNS:
            raise Refused("ingest.cell_too_long", max=MOST_SIGNS)
        return cell if cell.strip() else None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else typed_text(cell, decimal)
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat()
    return None if cell is None else str(cell)
