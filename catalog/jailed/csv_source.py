"""An owner's CSV as Arrow batches of text: encoding and delimiter detected, ragged rows counted, sizes bounded."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from catalog.jailed.refused import Refused

_BLOCK_BYTES = 8 * 1024 * 1024
_PROBE_BYTES = 1024 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_LINES_NAMED = 10
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Bounded(io.RawIOBase):
    """Reads another stream and refuses to give more than `limit` bytes: a gzip bomb ends here."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream, self.limit, self.given = stream, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self.stream.read(len(buffer))
        except (gzip.BadGzipFile, EOFError, zlib.error) as e:
            raise Refused("ingest.gzip_broken") from e
        self.given += len(data)
        if self.given > self.limit:
            raise Refused("ingest.too_large", max_bytes=self.limit)
        buffer[: len(data)] = data
        return len(data)


class CsvSource:
    """What a file turned out to be, and its batches. `wanted` None: every column."""

    def __init__(self, file: BinaryIO, wanted: Sequence[str] | None, *, max_bytes: int) -> None:
        self.file, self.max_bytes = file, max_bytes
        self.packed = file.peek(2)[:2] == b"\x1f\x8b"  # type: ignore[attr-defined]
        probe = self._open().read(_PROBE_BYTES)
        self.encoding = _encoding(probe)
        header, self.delimiter = _header(probe, self.encoding, wanted or ())
        self.wanted = tuple(tidy(name) for name in header) if wanted is None else tuple(wanted)
        self.raw_names = _matched(header, self.wanted)

    def _open(self) -> io.BufferedReader:
        self.file.seek(0)
        stream: Any = gzip.GzipFile(fileobj=self.file, mode="rb") if self.packed else self.file
        return io.BufferedReader(Bounded(stream, self.max_bytes), 1024 * 1024)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order, each a dictionary of texts. Raises Refused."""
        ragged = _Ragged()
        try:
            reader = self._reader(ragged)
            for batch in reader:
                if not ragged.count:
                    yield pa.RecordBatch.from_arrays(batch.columns, names=list(self.wanted))
        except UnicodeDecodeError as e:
            raise Refused("ingest.encoding", encoding=self.encoding) from e
        except pa.ArrowInvalid as e:
            raise _explained(str(e), self.encoding) from e
        if ragged.count:
            raise Refused(
                "ingest.ragged",
                rows=ragged.count,
                expected=ragged.expected,
                lines=", ".join(map(str, ragged.lines)),
            )

    def _reader(self, ragged: _Ragged) -> Any:
        text = pa.dictionary(pa.int32(), pa.string())
        return arrow_csv.open_csv(
            self._open(),
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                encoding="utf8" if self.encoding == "utf-8" else self.encoding,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=ragged
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=self.raw_names,
                column_types=dict.fromkeys(self.raw_names, text),
                strings_can_be_null=False,
                null_values=[],
            ),
        )


class _Ragged:
    """Counts rows with too many or too few fields; the first lines' numbers are kept, never their text."""

    def __init__(self) -> None:
        self.count, self.expected = 0, 0
        self.lines: list[int] = []

    def __call__(self, row: Any) -> str:
        self.count += 1
        self.expected = row.expected_columns
        if row.number is not None and len(self.lines) < _LINES_NAMED:
            self.lines.append(int(row.number))
        return "skip"


def _encoding(probe: bytes) -> str:
    if not probe.strip():
        raise Refused("ingest.empty")
    for mark, name in _BOMS:
        if probe.startswith(mark):
            return name
    if b"\0" in probe:
        even, odd = probe[0:4096:2].count(0), probe[1:4096:2].count(0)
        if max(even, odd) > 100 and min(even, odd) * 10 < max(even, odd):
            return "utf-16-le" if odd > even else "utf-16-be"
        raise Refused("ingest.not_text")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(probe)
    except UnicodeDecodeError:
        return "cp1258"
    return "utf-8"


def _header(probe: bytes, encoding: str, wanted: Sequence[str]) -> tuple[list[str], str]:
    """The header's names as they stand in the file, under the delimiter that finds most of the wanted ones."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)
    try:
        text = decoder(errors="replace").decode(probe)
    except UnicodeDecodeError as e:
        raise Refused("ingest.encoding", encoding=encoding) from e
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


def _matched(header: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The header's own spelling of each wanted name. Raises Refused with all that are absent or there twice."""
    names = [tidy(n) for n in header]
    known = set(names)
    absent = [n for n in wanted if n not in known]
    if absent:
        raise Refused("ingest.columns_absent", names=absent)
    twice = sorted(n for n, count in Counter(names).items() if count > 1)
    if twice:
        raise Refused("ingest.columns_twice", columns=", ".join(n[:80] for n in twice[:20]))
    return [header[names.index(n)] for n in wanted]


def _explained(message: str, encoding: str) -> Refused:
    """Arrow's message may hold cells; only its kind is passed on."""
    if "UTF8" in message or "utf" in message.lower():
        return Refused("ingest.encoding", encoding=encoding)
    if "straddling" in message:
        return Refused("ingest.row_too_long", max_bytes=_BLOCK_BYTES)
    return Refused("ingest.not_csv")
