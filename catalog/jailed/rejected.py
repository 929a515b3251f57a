"""Rows that cannot be read: where each stands and why, never what stands in it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.jailed.refused import Refused
from catalog.wire import REJECTED, IngestColumn, IngestOrder

_MOST_NAMED = 1_000_000
_LINES_NAMED = 10
_BATCH_ROWS = 65_536
_NO_SUBJECT = "ingest.row_subject"


def lines_of(file: int, numbers: Ints) -> list[str]:
    """As they are told: of the second file and on with the file's number."""
    return [str(n) if file == 1 else f"{file}:{n}" for n in numbers.tolist()]


class Skipped:
    """Rows of one file that its parser took out, by their numbers. `first`: that of the first row of data."""

    def __init__(self, reason: str, *, first: int = 2) -> None:
        self.reason, self.first = reason, first
        self.count, self.expected = 0, 0
        self.rows: list[int] = []

    def add(self, row: int | None) -> None:
        self.count += 1
        if row is not None and len(self.rows) < _MOST_NAMED:
            self.rows.append(int(row))

    def numbers(self, kept: Ints) -> Ints:
        """Of rows that were kept, counted from 0: their numbers in the file."""
        taken = np.array(self.rows, dtype=np.int64) - self.first
        before = np.searchsorted(taken - np.arange(len(taken)), kept, side="right")
        numbers: Ints = kept + self.first + before
        return numbers


class Rejected:
    """Collects what is wrong over all files of an order."""

    def __init__(self, order: IngestOrder) -> None:
        self.share = order.reading.max_rejected_share
        self.rows, self.cells, self.expected = 0, 0, 0
        self.counts: dict[tuple[str, str, str], int] = {}
        self.first: dict[tuple[str, str, str], list[str]] = {}
        self.files, self.numbers = array("i"), array("q")
        self.columns, self.reasons = array("i"), array("i")
        self.names: dict[str, int] = {}
        self.codes: dict[str, int] = {}

    def cell(self, file: int, numbers: Ints, column: IngestColumn, reason: str) -> None:
        """Cells of one column, in rows with these numbers."""
        if reason != _NO_SUBJECT:
            self.cells += len(numbers)
        self._note(file, numbers, column.reads, column.type, reason)

    def row(self, file: int, numbers: Ints, reason: str) -> None:
        """Whole rows with these numbers."""
        self._note(file, numbers, "", "", reason)

    def skipped(self, file: int, skipped: Skipped) -> None:
        """Once a file, when it has been read."""
        self.rows += skipped.count
        self.expected = skipped.expected or self.expected
        if skipped.count:
            self._note(file, np.array(skipped.rows, dtype=np.int64), "", "", skipped.reason, skipped.count)

    def _note(
        self, file: int, numbers: Ints, column: str, kind: str, reason: str, count: int | None = None
    ) -> None:
        if not len(numbers) and not count:
            return
        what = (column, kind, reason)
        self.counts[what] = self.counts.get(what, 0) + (len(numbers) if count is None else count)
        first = self.first.setdefault(what, [])
        room = _LINES_NAMED - len(first)
        first += lines_of(file, numbers[: max(room, 0)])
        kept = numbers[: max(_MOST_NAMED - len(self.numbers), 0)]
        self.files.extend([file] * len(kept))
        self.numbers.extend(kept.tolist())
        self.columns.extend([self.names.setdefault(column, len(self.names))] * len(kept))
        self.reasons.extend([self.codes.setdefault(reason, len(self.codes))] * len(kept))

    def require_few(self, rows: int) -> None:
        """`rows`: those that were kept. Raises Refused where more are rejected than the owner allows."""
        if self.rows <= self.share * (rows + self.rows):
            return
        if not self.share and not self.cells:
            ((column, kind, reason),) = list(self.counts)[:1]
            if reason == _NO_SUBJECT:
                lines = ", ".join(self.first[column, kind, reason])
                raise Refused("ingest.subject_missing", rows=self.rows, column=column, lines=lines)
            code = "ingest.ragged" if reason == "ingest.row_fields" else "ingest.not_json"
            lines = ", ".join(self.first["", "", reason])
            raise Refused(code, rows=self.rows, expected=self.expected, lines=lines)
        if not self.share:
            raise Refused("ingest.wrong_type", columns=self._told(), cells=self.cells)
        raise Refused(
            "ingest.too_many_rejected", rejected=self.rows, rows=rows + self.rows,
            share=f"{100 * self.rows / (rows + self.rows):.2f}", max=f"{100 * self.share:g}", columns=self._told(),
        )  # fmt: skip

    def _told(self) -> str:
        return "; ".join(
            f"{column} ({kind}): {count} — {', '.join(self.first[column, kind, reason])}"
            for (column, kind, reason), count in self.counts.items()
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """As REJECTED says."""
        names, codes = pa.array(list(self.names), pa.string()), pa.array(list(self.codes), pa.string())
        for begin in range(0, len(self.numbers), _BATCH_ROWS):
            part = slice(begin, begin + _BATCH_ROWS)
            columns, reasons = pa.array(self.columns[part], pa.int32()), pa.array(self.reasons[part], pa.int32())
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(self.files[part], pa.int32()),
                    pa.array(self.numbers[part], pa.int64()),
                    pa.DictionaryArray.from_arrays(columns, names),
                    pa.DictionaryArray.from_arrays(reasons, codes),
                ],
                schema=REJECTED,
            )
