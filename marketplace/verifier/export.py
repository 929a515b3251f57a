"""That an export holds what the log does: each row opens its leaf, and of a whole one none is left out."""

from __future__ import annotations

import csv
import hashlib
import re
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from marketplace.verifier.dataset import VIEW, opened_commitment, require_ended_once
from marketplace.verifier.folder import check_log
from marketplace.verifier.note import VerifierKey, open_checkpoint
from marketplace.verifier.receipt import MAYBE_TEXT, NUMBER, OBJECT, TEXT
from marketplace.verifier.refusal import Check, Refused, checked, holds
from marketplace.verifier.strict_json import MAX_BYTES, hex32, load, shaped, utf8

USES = ("query:settle", "query:void", "query:deny", "query:cancel", "query:fetch", "quote:deny")
"""Each stands in the chain of the dataset that it names."""
MANIFEST = {"schema": TEXT, "search": OBJECT, "view": TEXT, "organisation_id": TEXT, "person_id": TEXT,
            "begun_at": TEXT, "events": NUMBER, "file": TEXT, "bytes": NUMBER, "sha256": TEXT, "checkpoint": TEXT,
            "log_key": TEXT}  # fmt: skip
ROW = VIEW | {"link": MAYBE_TEXT, "proof": MAYBE_TEXT}
MAX_LEAVES = 100_000_000
"""40 bytes of memory each; 24 more for each use, and some hundreds for each query that ended."""
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, csv.Error, LookupError, EOFError, RuntimeError,
           ValueError, OSError)  # fmt: skip
"""What the reader of zips says of one that is not whole."""
NAMED = 20
"""So many of what is missing are named."""
IN_JSON = ("parties", "body", "revision", "bytes", "price_vnd", "leaf_index", "dataset_counter",
           "dataset_previous")  # fmt: skip
"""Columns of a CSV whose cells are JSON; `at` is ISO 8601 with its offset, the others are text, empty for null."""
MADE_HARMLESS = re.compile("(?:\\A|(?<=[;\\t\\r\\n]))'(?=[ \"]*[-=+@\\t\\r\\n＝＋－＠])")
"""An apostrophe that an export puts before what a spreadsheet would run."""
EPOCH, MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


class Rows:
    """The rows of an export, as what the leaves of its log must be. `whole`: nothing was searched for."""

    def __init__(self, size: int, *, whole: bool, erased: bool) -> None:
        self.size, self.whole, self.erased = size, whole, erased
        self.count = self.closed = 0
        self._leaves = bytearray(32 * size)
        self._at = array("q", bytes(8 * size))
        self._chains: dict[str, array[int]] = {}
        self._ended: set[tuple[str, str]] = set()

    def take(self, row: Mapping[str, Any]) -> None:
        """One row more. Raises Refused."""
        index, link = row["leaf_index"], row["link"]
        if type(index) is not int or not 0 <= index < self.size or link is None:
            raise Refused("export.row", ascii(row["id"])[1:-1][:80])
        if self._at[index]:
            raise Refused("export.twice", index)
        if row["salt"] is None and not self.erased:
            raise Refused("export.closed", index)
        self.closed += row["salt"] is None
        leaf = b'{"c":"%b","l":"%b"}' % (opened_commitment(row), hex32(link).hex().encode())
        self._leaves[32 * index : 32 * index + 32] = hashlib.sha256(leaf).digest()
        self._at[index] = max(row["at"], 1)
        self._place(row, index)
        require_ended_once(row, self._ended)
        self.count += 1

    def _place(self, row: Mapping[str, Any], index: int) -> None:
        counter, previous = row["dataset_counter"], row["dataset_previous"]
        if counter is None:
            if row["name"] in USES and row["dataset_id"] is not None:
                raise Refused("export.uncounted", index)
            return
        if row["dataset_id"] is None:
            raise Refused("export.row", ascii(row["id"])[1:-1][:80])
        chain = self._chains.setdefault(row["dataset_id"], array("q"))
        chain.extend((counter, -1 if previous is None else previous, index))

    def require_chained(self) -> None:
        """Of each dataset the counters run from 0 without a gap. Raises Refused."""
        for dataset_id, flat in sorted(self._chains.items()):
            places = sorted(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
            for due, (counter, previous, index) in enumerate(places):
                if counter != due or previous != (places[due - 1][2] if due else -1) or previous >= index:
                    raise Refused("export.chain", f"{ascii(dataset_id)[1:-1][:80]}, {due}")

    def look(self, first: int, leaves: Sequence[bytes], _: bytes) -> None:
        """Raises Refused where a leaf is not its row's, or has none that it should have."""
        missing: list[int] = []
        for index, leaf in enumerate(leaves, first):
            if index >= self.size:
                break
            due = self._leaves[32 * index : 32 * index + 32]
            if self._at[index] == 0:
                missing.append(index)
            elif hashlib.sha256(leaf).digest() != due:
                raise Refused("dataset.leaf", index)
        if missing and self.whole:
            raise Refused("export.left_out", ", ".join(map(str, missing[:NAMED])))

    def back_ms(self) -> int:
        """How far an event's own time lies before that of an event with an earlier leaf, at most."""
        newest = back = 0
        for at in self._at:
            if at:
                newest, back = max(newest, at), max(back, newest - at)
        return back


def check_export(
    folder: Path, export: Path, key: VerifierKey, *, witnesses: Sequence[VerifierKey] = (), erased: bool = False
) -> tuple[Check, ...]:
    """An exported log that goes at least as far, and that the rows of `export` (NDJSON or CSV) are its leaves.

    Without a search and in the regulator's view every leaf must have its row. Raises OSError."""
    taken: list[tuple[Rows, str]] = []

    def rows() -> str:
        found, note = read_export(export, key, erased=erased)
        taken.append((found, note))
        back = f"giờ lùi / times run back by at most: {found.back_ms()} ms"
        return f"{found.count}, không mở / closed: {found.closed}; {back}"

    read = checked("rows", rows)
    if not read.ok:
        return (read,)
    found, note = taken[0]
    checks = check_log(folder, key, seen=[note.encode()], witnesses=witnesses, looked=found)
    if not holds(checks):
        return (*checks, read)
    if not found.whole:
        return (*checks, read, Check("part", True, "chỉ một phần / of a search: rows may be left out"))
    return (*checks, read, Check("complete", True, f"{found.count} / {found.size}"))


def read_export(path: Path, key: VerifierKey, *, erased: bool) -> tuple[Rows, str]:
    """Its rows, each of its form, and the checkpoint that it was made of. Raises Refused, OSError."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                rows, note = _read(archive, key, erased=erased)
        except Refused:
            raise
        except DAMAGED as wrong:
            raise Refused("export.zip") from wrong
    if rows.whole:
        rows.require_chained()
    return rows, note


def _read(archive: zipfile.ZipFile, key: VerifierKey, *, erased: bool) -> tuple[Rows, str]:
    with archive.open("manifest.json") as told:
        manifest = load(told.read(MAX_BYTES + 1))
    shaped(manifest, MANIFEST, "manifest")
    head = open_checkpoint(manifest["checkpoint"], key)
    if head.size > MAX_LEAVES:
        raise Refused("form.size", 40 * MAX_LEAVES)
    if manifest["log_key"] != str(key):
        raise Refused("export.key")
    if not manifest["file"].endswith((".ndjson", ".csv")):
        raise Refused("export.form")
    _require_alone(archive, manifest["file"])
    rows = Rows(head.size, whole=not manifest["search"] and manifest["view"] == "regulator", erased=erased)
    with archive.open(manifest["file"]) as lines:
        _take(rows, lines, manifest)
    return rows, manifest["checkpoint"]


def _require_alone(archive: zipfile.ZipFile, name: str) -> None:
    """These two files, each once: of two of one name another program may show the one that nobody checked.

    Raises Refused."""
    if sorted(archive.namelist()) != sorted(("manifest.json", name)):
        raise Refused("export.zip")
    if any(each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for each in archive.infolist()):
        raise Refused("export.zip")


def _take(rows: Rows, lines: IO[bytes], manifest: Mapping[str, Any]) -> None:
    digest, count = hashlib.sha256(), 0

    def read() -> Iterator[bytes]:
        nonlocal count
        for line in _lines(lines):
            digest.update(line)
            count += len(line)
            yield line

    for row in _from_csv(read()) if manifest["file"].endswith(".csv") else map(load, read()):
        shaped(row, ROW, "")
        rows.take(row)
    if (digest.hexdigest(), count, rows.count) != (manifest["sha256"], manifest["bytes"], manifest["events"]):
        raise Refused("export.manifest")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(MAX_BYTES + 1):
        yield line


def _from_csv(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a CSV as those of NDJSON. Raises Refused, csv.Error, ValueError."""
    csv.field_size_limit(MAX_BYTES)
    cells = csv.reader((utf8(line) for line in lines), strict=True)
    names = next(cells, [])
    if len(set(names)) != len(names):
        raise Refused("form.twice", "CSV")
    for each in cells:
        if len(each) != len(names):
            raise Refused("export.row", ascii("".join(each[:1]))[1:-1][:80])
        row = _row(names, each)
        try:
            shaped(row, ROW, "")
            opened_commitment(row)
        except Refused:
            row = _row(names, [MADE_HARMLESS.sub("", text) for text in each])
        yield row


def _row(names: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    return {name: _value(name, text) for name, text in zip(names, cells, strict=True)}


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    if name == "at" and not text.isdecimal():
        at = datetime.fromisoformat(text)
        since, rest = divmod(at - EPOCH, MS) if at.tzinfo else (0, MS)
        if rest:
            raise Refused("form.field", name)
        return since
    return load(text.encode()) if name in IN_JSON or name == "at" else text
