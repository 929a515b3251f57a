"""An owner's NDJSON (one object a line) as Arrow batches of text; a line that is none is counted, never shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from catalog.jailed.bounded import GZIP, NulByte
from catalog.jailed.encoding import Text
from catalog.jailed.header import absent_or_twice, tidy
from catalog.jailed.numbers import typed_text
from catalog.jailed.refused import Refused, shown
from catalog.jailed.rejected import Skipped
from catalog.jailed.totals import Totals
from catalog.reading import Decimal, Reading

_BLOCK_BYTES = 4 * 1024 * 1024
_MAX_LINE_BYTES = 8 * 1024 * 1024
_NO_ROW = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""RecursionError: of brackets within brackets, thousands deep."""


class NdjsonSource:
    """`wanted` None: every key of the first megabyte. Keys of other names are skipped."""

    delimiter, header_row, header_rows, formula_errors = "", 0, 0, 0

    def __init__(self, file: BinaryIO, wanted: Sequence[str] | None, *, max_bytes: int, reading: Reading) -> None:
        self.kind = "ndjson.gz" if file.peek(2)[:2] == GZIP else "ndjson"  # type: ignore[attr-defined]
        self.text = Text(file, max_bytes=max_bytes, declared=reading.encoding)
        self.decimal = reading.decimal
        self.encoding = self.text.encoding.name
        keys = _keys(self.text.beginning())
        names = [tidy(key) for key in keys]
        absent_or_twice(names, ())
        self.wanted = tuple(names) if wanted is None else tuple(wanted)
        raw = dict(zip(names, keys, strict=True))
        self.raw_names = [raw.get(name, name) for name in self.wanted]
        self.seen = [name in raw for name in self.wanted]
        self.skipped, self.totals = Skipped("ingest.row_json", first=1), Totals()
        self.decoder = msgspec.json.Decoder(self._row_type())

    def _row_type(self) -> type[msgspec.Struct]:
        fields = [(f"c{i}", Any, msgspec.UNSET) for i in range(len(self.raw_names))]
        names = {f"c{i}": name for i, name in enumerate(self.raw_names)}
        return msgspec.defstruct("Row", fields, rename=names, gc=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order, each a dictionary of texts. Raises Refused."""
        number = 1
        try:
            for block in _blocks(self.text.utf8()):
                rows = self._rows(block, number)
                number += block.count(b"\n")
                yield self._batch(rows)
        except (UnicodeDecodeError, NulByte) as e:
            raise self.text.explained(e) from e
        absent = [name for name, seen in zip(self.wanted, self.seen, strict=True) if not seen]
        if absent:
            raise Refused("ingest.columns_absent", names=absent)

    def _rows(self, block: bytes, number: int) -> list[Any]:
        try:
            return self.decoder.decode_lines(block)
        except _NO_ROW:
            return list(self._one_by_one(block, number))

    def _one_by_one(self, block: bytes, number: int) -> Iterator[Any]:
        for place, line in enumerate(block.split(b"\n"), number):
            if not line.strip():
                continue
            try:
                yield self.decoder.decode(line)
            except _NO_ROW:
                self.skipped.add(place)

    def _batch(self, rows: list[Any]) -> pa.RecordBatch:
        columns = []
        for place, name in enumerate(self.wanted):
            cells = [getattr(row, f"c{place}") for row in rows]
            self.seen[place] = self.seen[place] or any(cell is not msgspec.UNSET for cell in cells)
            columns.append(
                pa.array([_text(cell, name, self.decimal) for cell in cells], pa.string()).dictionary_encode()
            )
        return pa.RecordBatch.from_arrays(columns, names=list(self.wanted))


def _text(cell: Any, name: str, decimal: Decimal | None) -> str | None:
    if isinstance(cell, str):
        return cell
    if cell is None or cell is msgspec.UNSET:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dict | list):
        raise Refused("ingest.json_nested", column=shown([name]))
    return typed_text(cell, decimal) if isinstance(cell, float) else repr(cell)


def _keys(beginning: str) -> list[str]:
    """Those of the objects that stand whole in the beginning, in the order in which they first come."""
    lines = beginning.encode().split(b"\n")
    whole = lines[:-1] if len(lines) > 1 else lines
    found: dict[str, None] = {}
    for line in whole:
        try:
            value = msgspec.json.decode(line) if line.strip() else {}
        except _NO_ROW:
            continue
        if isinstance(value, dict):
            found |= dict.fromkeys(value)
    if not found:
        raise Refused("ingest.not_ndjson")
    return list(found)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces of whole lines."""
    rest = b""
    while chunk := stream.read(_BLOCK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
            rest = chunk[cut:]
        else:
            rest += chunk
        if len(rest) > _MAX_LINE_BYTES:
            raise Refused("ingest.row_too_long", max_bytes=_MAX_LINE_BYTES)
    if rest.strip():
        yield rest
