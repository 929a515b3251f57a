"""An owner's file of consent events, a line at a time: CSV or JSON, whatever a stranger may have put there.

A line is a record: no quoted line ends, so that one stray quote swallows nothing. Memory holds one line.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO

import msgspec
from msgspec import Meta

from marketplace.consents.errors import FileNotUnderstood, TooManyLines
from marketplace.consents.schemas import Circumstances, Instant, Said

MAX_LINE_BYTES = 16 * 1024
DELIMITERS = (",", ";", "\t", "|")
EventId = Annotated[str, Meta(min_length=1, max_length=200)]


class Entry(Circumstances, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event of a file; `event_id` is the owner's own id of it."""

    event_id: EventId
    subject: str
    purpose: str
    event: Said
    at: Instant


COLUMNS: tuple[str, ...] = tuple(sorted(Entry.__struct_fields__))
REQUIRED = frozenset({"event_id", "subject", "purpose", "event", "at"})
_PLACE = re.compile(r"`\$\.([a-z_]+)|(?:missing required|unknown) field `([a-z_]{1,40})`")
"""Names only: what msgspec says may hold what was sent."""


class LineWrong(Exception):
    """A line that is no event. Params: names of fields and numbers, never what stands in the line."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Lines:
    """The lines of a file and how to read each. Raises FileNotUnderstood for a header that is none of ours."""

    def __init__(self, file: BinaryIO, *, max_lines: int) -> None:
        self._file, self._max_lines = file, max_lines
        self._decoder = msgspec.json.Decoder(Entry)
        self.number = 0
        first = file.readline(MAX_LINE_BYTES + 1)
        self._names: tuple[str, ...] | None = None
        if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            file.seek(3 if first.startswith(b"\xef\xbb\xbf") else 0)
            return
        self._names, self._delimiter = _header(first)
        self.number = 1

    def __iter__(self) -> Iterator[bytes | None]:
        """Lines that are not blank, None for one that is too long; `number` counts all of them from 1.

        Raises TooManyLines."""
        while line := self._file.readline(MAX_LINE_BYTES + 1):
            self.number += 1
            if self.number > self._max_lines:
                raise TooManyLines(max_lines=self._max_lines)
            if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                self._skip()
                yield None
            elif not line.isspace():
                yield line

    def read(self, line: bytes | None) -> Entry:
        """The event in a line. Raises LineWrong."""
        if line is None:
            raise LineWrong("consent.line_too_long", max_bytes=MAX_LINE_BYTES)
        try:
            if self._names is None:
                return self._decoder.decode(line)
            return msgspec.convert(self._cells(line.decode(), self._names), Entry)
        except UnicodeDecodeError as e:
            raise LineWrong("consent.line_encoding") from e
        except msgspec.ValidationError as e:
            raise _explained(str(e)) from e
        except (msgspec.DecodeError, csv.Error, RecursionError) as e:
            raise LineWrong("consent.line_broken") from e

    def _cells(self, line: str, names: tuple[str, ...]) -> dict[str, str]:
        text = line.rstrip("\r\n")
        if '"' in text:
            cells = next(csv.reader([text], delimiter=self._delimiter, strict=True))
        else:
            cells = text.split(self._delimiter)
        if len(cells) != len(names):
            raise LineWrong("consent.line_cells", found=len(cells), expected=len(names))
        return {name: cell for name, value in zip(names, cells, strict=True) if (cell := value.strip())}

    def _skip(self) -> None:
        while (rest := self._file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass


def _header(line: bytes) -> tuple[tuple[str, ...], str]:
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as e:
        raise FileNotUnderstood(columns=list(COLUMNS)) from e
    delimiter = max(DELIMITERS, key=text.count)
    names = tuple(unicodedata.normalize("NFC", name).strip().strip('"') for name in text.split(delimiter))
    known = set(names)
    if len(known) < len(names) or not known >= REQUIRED or not known <= set(COLUMNS):
        raise FileNotUnderstood(columns=list(COLUMNS))
    return names, delimiter


def _explained(said: str) -> LineWrong:
    place = _PLACE.search(said)
    if place is None:
        return LineWrong("consent.line_broken")
    if said.startswith("Object missing"):
        return LineWrong("consent.line_missing", field=place[2])
    return LineWrong("consent.line_field", field=place[1] or place[2])
