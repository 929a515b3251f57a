"""Which kind of file each input is, by what stands at its beginning; archives are opened member by member."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from catalog.jailed.bounded import GZIP, unfolded
from catalog.jailed.csv_source import CsvSource
from catalog.jailed.ndjson_source import NdjsonSource
from catalog.jailed.parquet_source import ParquetSource
from catalog.jailed.refused import Refused, shown
from catalog.jailed.rejected import Skipped
from catalog.jailed.totals import Totals
from catalog.jailed.workbook_source import WorkbookSource
from catalog.wire import IngestOrder

_BUFFER_BYTES = 1024 * 1024
_MAX_MEMBERS = 10_000
_ZIP, _OLE, _PARQUET, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"%PDF"
_TAR_MAGIC_AT = 257
_PAGES = (b"<html", b"<!doctype html", b"<table", b"<meta", b"<style", b"<?xml")
"""How what programs export as .xls begins, where it is a page of the web or XML."""
_NOTES = (".txt", ".md", ".pdf", ".doc", ".docx", ".rtf", ".htm", ".html", ".log")
_WORKBOOK_PARTS = frozenset({"[Content_Types].xml", "content.xml"})


class Source(Protocol):
    """A file whose columns are known. While `batches` is read: `skipped`, rows that its parser took out, and
    `totals`, rows that by their own words are no records. `header_row`: counted from 1, the last of the
    `header_rows`; 0: it has none. `formula_errors`: cells of a workbook that say "#N/A" and the like."""

    wanted: tuple[str, ...]
    header_row: int
    header_rows: int
    encoding: str
    delimiter: str
    kind: str
    formula_errors: int
    skipped: Skipped
    totals: Totals

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with the wanted columns in their order: texts as dictionaries, or typed. Raises Refused."""
        ...


def source_names(order: IngestOrder) -> list[str]:
    """The file's columns that the order reads, in the order in which a batch has them."""
    return list(dict.fromkeys(c.reads for c in order.columns))


def open_sources(order: IngestOrder, inputs: Sequence[int]) -> Iterator[Source]:
    """Every file of the inputs with the columns that the order reads; without any, with the first file's.

    Each is closed when the next one is asked for. Raises Refused.
    """
    names = source_names(order) or None
    for descriptor in inputs:
        with os.fdopen(os.dup(descriptor), "rb", buffering=_BUFFER_BYTES) as file:
            for member in _members(file, order):
                source = _source(member, names, order)
                names = names or list(source.wanted)
                yield source


def _source(file: BinaryIO, names: list[str] | None, order: IngestOrder) -> Source:
    file.seek(0)
    magic = file.peek(8)[:8]  # type: ignore[attr-defined]
    if magic.startswith(_PARQUET):
        bounds = {"max_rows": order.max_rows, "max_row_group_bytes": order.max_row_group_bytes}
        return ParquetSource(file, names, max_bytes=order.max_bytes, **bounds)
    if magic.startswith((_ZIP, _OLE)):
        return WorkbookSource(
            file, names, max_bytes=order.max_bytes, reading=order.reading, nameless=order.nameless
        )
    if magic.startswith(_PDF) or magic == b"ARROW1\0\0":
        raise Refused("ingest.not_text")
    begin = _beginning(file, order.max_bytes)
    if begin.lower().startswith(_PAGES):
        raise Refused("ingest.web_page")
    if begin.startswith((b"{", b"[{")) and begin[1:].lstrip()[:1] in (b'"', b"{", b"}"):
        return NdjsonSource(file, names, max_bytes=order.max_bytes, reading=order.reading)
    return CsvSource(
        file, names, max_bytes=order.max_bytes, encoding=order.reading.encoding, nameless=order.nameless
    )


def _beginning(file: BinaryIO, max_bytes: int) -> bytes:
    """The first characters, without a mark and blanks."""
    begin = unfolded(file, max_bytes).read(64)
    file.seek(0)
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        begin = begin.removeprefix(mark)
    # In UTF-16 a zero stands between the two.
    return begin.replace(b"\0", b"").lstrip()


def _members(file: BinaryIO, order: IngestOrder) -> Iterator[BinaryIO]:
    """The file itself, or the files in it, by their names."""
    head: bytes = file.peek(_TAR_MAGIC_AT + 5)  # type: ignore[attr-defined]
    if head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar":
        yield from _in_tar(file)
    elif head.startswith(GZIP) and unfolded(file, order.max_bytes).read(262)[_TAR_MAGIC_AT:] == b"ustar":
        raise Refused("ingest.tar_packed")
    elif head.startswith(_ZIP) and (archive := _archive(file)) is not None:
        yield from _in_zip(archive, order)
    else:
        file.seek(0)
        yield file


def _in_tar(file: BinaryIO) -> Iterator[BinaryIO]:
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            members = {m.name: m for m in archive if m.isreg()}
            for name in _chosen(members):
                member: Any = archive.extractfile(members[name])
                yield member
    except tarfile.TarError as e:
        raise Refused("ingest.archive_broken") from e


def _archive(file: BinaryIO) -> zipfile.ZipFile | None:
    """None where it is a workbook."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError) as e:
        raise Refused("ingest.archive_broken") from e
    return None if _WORKBOOK_PARTS & set(archive.namelist()) else archive


def _in_zip(archive: zipfile.ZipFile, order: IngestOrder) -> Iterator[BinaryIO]:
    members = {m.filename: m for m in archive.infolist() if not m.is_dir()}
    chosen = _chosen(members)
    if sum(members[name].file_size for name in chosen) > order.max_bytes:
        raise Refused("ingest.too_large", max_bytes=order.max_bytes)
    for name in chosen:
        try:
            with archive.open(members[name]) as file:
                packed: Any = file
                if packed.peek(4)[:4] != _PARQUET:
                    yield packed
                    continue
                if members[name].file_size > order.max_row_group_bytes:
                    raise Refused("ingest.row_group_too_large", max_bytes=order.max_row_group_bytes)
                content = packed.read()
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as e:
            raise Refused("ingest.archive_broken") from e
        yield io.BufferedReader(io.BytesIO(content), _BUFFER_BYTES)


def _chosen(members: Any) -> list[str]:
    """Names in their order, without what tools leave beside the data."""
    names = sorted(name for name in members if not any(part.startswith((".", "_")) for part in name.split("/")))
    if not names:
        raise Refused("ingest.empty")
    if len(names) > _MAX_MEMBERS:
        raise Refused("ingest.too_many_files", files=len(names), max=_MAX_MEMBERS)
    notes = [name for name in names if name.lower().endswith(_NOTES)]
    if 0 < len(notes) <= len(names) / 2:
        # It would be read as a part, and, where no columns are known yet, as the one that names them.
        raise Refused("ingest.archive_note", files=shown(notes))
    return names
