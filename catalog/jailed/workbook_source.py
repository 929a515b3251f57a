"""An owner's workbook (xlsx, xlsb, xls, ods) as Arrow batches of text: one sheet, what formulas last gave."""

from __future__ import annotations

import datetime
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import python_calamine

from catalog.jailed.csv_source import matched, tidy, told_apart
from catalog.jailed.old_letters import CONVERT, old_letters
from catalog.jailed.refused import Refused, shown
from catalog.jailed.rejected import Skipped

_BATCH_ROWS = 65_536
_PROBE_ROWS = 1_000
_HEADER_ROWS = 20
"""Among them the header is looked for."""
_MAX_BYTES = 512 * 1024 * 1024
"""Of the workbook as it is sent: it is held in memory."""
_CHUNK_BYTES = 1024 * 1024


class WorkbookSource:
    """`wanted` None: every column. `sheet` None: the only one that holds something. Raises Refused."""

    delimiter, kind = "", "workbook"

    def __init__(
        self,
        file: BinaryIO,
        wanted: Sequence[str] | None,
        *,
        max_bytes: int,
        sheet: str | None = None,
        nameless: bool = False,
    ) -> None:
        file.seek(0)
        content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise Refused("ingest.too_large", max_bytes=_MAX_BYTES)
        if content[:2] == b"PK":
            _require_bounded(content, max_bytes)
        self.sheet = _sheet(content, sheet)
        self.start = self.sheet.start or (0, 0)
        self.titles = _titles(list(islice(self._rows(), _HEADER_ROWS)), wanted or ())
        header = [_text(cell) or "" for cell in next(islice(self._rows(), self.titles, None), [])]
        while header and not header[-1].strip():
            header.pop()
        if not header:
            raise Refused("ingest.empty")
        letters = old_letters(" ".join(_probe(self._rows())))
        self.convert = CONVERT[letters]
        self.encoding: str = letters
        header = [self.convert(name) for name in header]
        header = told_apart(header) if nameless else header
        self.wanted = tuple(tidy(name) for name in header) if wanted is None else tuple(wanted)
        self.raw_names = matched(header, self.wanted)
        self.places = [header.index(name) for name in self.raw_names]
        self.skipped = Skipped("ingest.row_fields", first=self.start[0] + self.titles + 2)

    def _rows(self) -> Iterator[list[Any]]:
        rows: Iterator[list[Any]] = self.sheet.iter_rows()
        # Calamine counts rows from the first one of the sheet, however many are empty.
        return islice(rows, self.start[0], None)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order, each a dictionary of texts; empty rows hold nothing."""
        rows = islice(self._rows(), self.titles + 1, None)
        while batch := list(islice(rows, _BATCH_ROWS)):
            columns = [
                pa.array([self._cell(row, place) for row in batch], pa.string()).dictionary_encode()
                for place in self.places
            ]
            yield pa.RecordBatch.from_arrays(columns, names=list(self.wanted))

    def _cell(self, row: list[Any], place: int) -> str | None:
        text = _text(row[place]) if place < len(row) else None
        return text and self.convert(text)


def _sheet(content: bytes, wanted: str | None) -> Any:
    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        names = [s.name for s in book.sheets_metadata if s.typ == python_calamine.SheetTypeEnum.WorkSheet]
        if wanted is not None:
            if wanted not in names:
                raise Refused("ingest.sheet_absent", sheet=shown([wanted]), sheets=shown(names))
            return book.get_sheet_by_name(wanted)
        filled = [sheet for sheet in map(book.get_sheet_by_name, names) if sheet.height]
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


def _titles(rows: Sequence[list[Any]], wanted: Sequence[str]) -> int:
    """How many rows stand above the header: a title over merged cells, names of groups of columns, nothing.

    The header names most of the wanted columns; where none are wanted, it is the first row that fills more than
    half as many cells as the widest one, if all that it holds are texts that differ. Else the first row is.
    """
    told = [[tidy(_text(cell) or "") for cell in row] for row in rows]
    if wanted:
        found = [len(set(names) & set(wanted)) for names in told]
        return found.index(max(found)) if found else 0
    filled = [[(cell, name) for cell, name in zip(row, names, strict=True) if name]
              for row, names in zip(rows, told, strict=True)]  # fmt: skip
    widest = max(map(len, filled), default=0)
    first = next((place for place, cells in enumerate(filled) if 2 * len(cells) > widest), 0)
    names = [name for cell, name in filled[first] if isinstance(cell, str)] if filled else []
    return first if len(names) == len(set(names)) == len(filled[first] if filled else []) else 0


def _require_bounded(content: bytes, max_bytes: int) -> None:
    """Every member unfolded once and thrown away: what its directory announces is only a claim."""
    left = max_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                left -= member.file_size
                if left < 0:
                    raise Refused("ingest.too_large", max_bytes=max_bytes)
                with archive.open(member) as file:
                    while file.read(_CHUNK_BYTES):
                        pass
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, zlib.error) as e:
        raise Refused("ingest.workbook_broken") from e


def _probe(rows: Iterator[list[Any]]) -> Iterator[str]:
    for row in islice(rows, _PROBE_ROWS):
        yield from (cell for cell in row if isinstance(cell, str))


def _text(cell: Any) -> str | None:
    """As a CSV would have it: whole numbers without decimals, days without hours."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat()
    return None if cell is None else str(cell)
