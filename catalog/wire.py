"""What the broker and its jails say to each other: orders in, reports back, files as frames in between."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Final, Literal

import pyarrow as pa
from msgspec import Struct, field

from catalog.pii.order import Detected, DetectedPair, ScanOrder
from catalog.reading import Reading
from catalog.risk.figures import Risk
from catalog.transforms import Transform

_HEAD = struct.Struct(">4sQ")
REJECTED_PLAIN: Final = pa.schema(
    [("file", pa.int32()), ("row", pa.int64()), ("column", pa.string()), ("reason", pa.string())]
)
"""Of rejected rows: `file` counts from 1, `row` as lines do (a header is 1); `column` "": the whole row;
`reason`: a code of `texts.json`."""
_WORD: Final = pa.dictionary(pa.int32(), pa.string())
REJECTED: Final = pa.schema([("file", pa.int32()), ("row", pa.int64()), ("column", _WORD), ("reason", _WORD)])
"""The same as it comes out of the jail."""
_MAX_FRAME_BYTES = 1024**3
ARRAY_FRAME_BYTES: Final = 256 * 1024**2
_READ_BYTES = 4 * 1024 * 1024


class Refusal(Struct, frozen=True):
    """A code of `texts.json` with numbers, names of columns, lines; never a cell."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


class IngestColumn(Struct, frozen=True, kw_only=True):
    name: str
    type: str
    line: int
    format: str | None = None
    source: str = ""
    """The file's column that it is read from, if that has another name."""
    required: bool = False
    """Whether a row without it may be rejected."""

    @property
    def reads(self) -> str:
        return self.source or self.name


class Roll(Struct, frozen=True, kw_only=True):
    """One value a person: `take` of her rows' values in a column of the order ("": of the rows themselves)."""

    name: str
    take: Literal["count", "distinct", "sum", "min", "max", "any", "last"]
    type: str
    value: str = ""
    by: str = ""


class Rolling(Struct, frozen=True, kw_only=True):
    """Several rows a person become one. `flags` hold only where they hold in each row."""

    rolls: tuple[Roll, ...]
    key: str
    flags: tuple[str, ...]


class IngestOrder(Struct, frozen=True, kw_only=True):
    columns: tuple[IngestColumn, ...]
    null_words: tuple[str, ...]
    max_rows: int
    max_bytes: int
    """Of the file after decompression."""
    max_row_group_bytes: int
    rolling: Rolling | None = None
    scan: ScanOrder | None = None
    """What personal data to look for meanwhile; of columns that are read anyway."""
    reading: Reading = Reading()
    persons: bool = False
    """Whether each row must be a person's: one that sums up others, or closes the sheet, is none."""
    nameless: bool = False
    """Without `columns`: also those without a name, or with another's, under a name of their own ("#3")."""


class IngestReply(Struct, frozen=True, kw_only=True):
    """`rows` of the stream; `events`: rows of the file, where they were rolled up; `rejected`: rows left out, of
    which a second stream says the file, the row, the column and why."""

    rows: int = 0
    events: int = 0
    rejected: int = 0
    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    header_row: int = 0
    """Counted from 1; 0: the file has none."""
    refusal: Refusal | None = None
    detected: Detected | None = None


class FileScan(Struct, frozen=True, kw_only=True):
    """A scan by itself, of a file that nobody has read yet."""

    order: ScanOrder
    max_rows: int
    max_bytes: int
    max_row_group_bytes: int


class ScanReply(Struct, frozen=True, kw_only=True):
    detected: Detected | None = None
    refusal: Refusal | None = None


class OwnReply(Struct, frozen=True, kw_only=True):
    """What an undescribed table turned out to be; its columns as they stand in the stream."""

    columns: tuple[IngestColumn, ...] = ()
    rows: int = 0
    refusal: Refusal | None = None


class RecordsOrder(Struct, frozen=True, kw_only=True):
    """`columns`: the names that the table may have."""

    columns: tuple[str, ...]
    max_rows: int
    max_bytes: int
    max_row_group_bytes: int


class RecordsReply(Struct, frozen=True, kw_only=True):
    rows: int = 0
    refusal: Refusal | None = None


class AnonymiseColumn(Struct, frozen=True, kw_only=True):
    """`name` in the persons' table and in the parts."""

    name: str
    type: str
    role: Literal["quasi-identifier", "sensitive", "measure"]
    fine: Transform | None = None
    coarser: tuple[Transform | None, ...] = ()
    """The fallbacks, one a level. A column with fewer of them than others stays at its last."""
    source: str = ""
    """The persons' column that it is made of, if that has another name."""

    @property
    def reads(self) -> str:
        return self.source or self.name


class AnonymiseOrder(Struct, frozen=True, kw_only=True):
    columns: tuple[AnonymiseColumn, ...]
    hierarchies: dict[str, str]
    mode: Literal["rows", "aggregate"]
    k: int
    l: int
    max_left_out_share: float
    followed: bool
    """Whether persons have names (privacy unit column); else records that are alike stand for one another."""
    seed: bytes
    part_rows: int
    row_group_rows: int
    pairs: tuple[tuple[str, str], ...] = ()
    """Measures of which the sum of products is kept: to be read as measures of their own, after the others."""

    @property
    def level_count(self) -> int:
        """Levels of generalisation, the fine one counted."""
        return 1 + max((len(c.coarser) for c in self.columns), default=0)

    @property
    def measure_count(self) -> int:
        """Measures, and pairs of them."""
        return sum(c.role == "measure" for c in self.columns) + len(self.pairs)


class PartHead(Struct, frozen=True, kw_only=True):
    """Said before a part's bytes. `mask`: the set of consented purposes as bits."""

    rows: int
    mask: int


class AnonymiseReply(Struct, frozen=True, kw_only=True):
    persons: int = 0
    cohorts: int = 0
    rows: int = 0
    fine_persons: int = 0
    left_out_persons: int = 0
    left_out_classes: int = 0
    without_consent: int = 0
    rare_values_blanked: int = 0
    types: dict[str, str] = field(default_factory=dict)
    logical_bytes: dict[str, int] = field(default_factory=dict)
    sample: list[dict[str, Any]] = field(default_factory=list)
    pairs: tuple[DetectedPair, ...] = ()
    """Of plain columns that the files show, by their names in SQL."""
    refusal: Refusal | None = None


class MeasureColumn(Struct, frozen=True, kw_only=True):
    name: str
    type: str
    role: Literal["quasi-identifier", "sensitive", "measure"]


class MeasureOrder(Struct, frozen=True, kw_only=True):
    columns: tuple[MeasureColumn, ...]
    mode: Literal["rows", "aggregate"]
    k: int
    l: int
    parts: int
    pairs: tuple[tuple[str, str], ...] = ()


class MeasureReply(Struct, frozen=True, kw_only=True):
    """Of cohorts: each is a class. `risk` is None where nothing was measured."""

    k: int = 0
    l: int | None = None
    rows: int = 0
    persons: int = 0
    risk: Risk | None = None
    fault: str = ""
    """Empty, or the first promise that the files break."""


def write_frame(output: BinaryIO, kind: bytes, body: bytes | memoryview) -> None:
    """One frame: a kind of four bytes, the length, the body. Raises ValueError for one that no reader takes."""
    if len(body) > _MAX_FRAME_BYTES:
        raise ValueError(f"{kind!r}: {len(body)} bytes in a frame")
    output.write(_HEAD.pack(kind, len(body)))
    output.write(body)


def write_array(output: BinaryIO, kind: bytes, body: bytes | memoryview) -> None:
    """Frames of one kind that are one array together: any length, though a frame is bounded."""
    whole = memoryview(body)
    for begin in range(0, max(len(whole), 1), ARRAY_FRAME_BYTES):
        write_frame(output, kind, whole[begin : begin + ARRAY_FRAME_BYTES])


def read_frames(stream: BinaryIO) -> Iterator[tuple[bytes, bytearray]]:
    """Frames until the stream ends; one that was cut off is not given."""
    while head := _exactly(stream, _HEAD.size):
        kind, length = _HEAD.unpack(head)
        body = _exactly(stream, length) if length <= _MAX_FRAME_BYTES else None
        if body is None:
            return
        yield kind, body


def drain(stream: BinaryIO) -> None:
    """Read to the end and forget: a jail that still writes can then finish and say in its reply what is wrong."""
    with suppress(OSError):
        while stream.read(_READ_BYTES):
            pass


def _exactly(stream: BinaryIO, length: int) -> bytearray | None:
    body = bytearray()
    while len(body) < length:
        chunk = stream.read(min(length - len(body), _READ_BYTES))
        if not chunk:
            return None
        body += chunk
    return body
