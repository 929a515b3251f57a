"""The broker's side of reading: takes the first jail's batches, hashes subject keys, keeps no name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace
from pyarrow import parquet

from catalog.arriving import arriving
from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.limits import IngestLimits
from catalog.manifest import Manifest, ManifestColumn
from catalog.pii.libraries import libraries
from catalog.pii.order import ScanOrder
from catalog.reading import STORED_TYPE
from catalog.subjects import PSEUDONYM_BYTES, sort_order
from catalog.wire import (
    REJECTED,
    REJECTED_PLAIN,
    IngestColumn,
    IngestOrder,
    IngestReply,
    Roll,
    Rolling,
    drain,
)
from sandbox.isolation.oneshot import run_once

Pseudonymise = Callable[[Sequence[str]], list[bytes]]
_KEY_ROWS = 65_536
_MAX_FILES = 500
"""Of a folder: a jail holds so many descriptors; an archive may have more."""
_CODE = re.compile(r"ingest\.[a-z_]{1,32}")
T = TypeVar("T")


class Intake(Struct, frozen=True, kw_only=True):
    """What was read: persons' columns in a file, their pseudonyms (n × 16 bytes; None for unit row), flags."""

    rows: int
    persons: Path
    pseudonyms: Ints | None
    ascending: Ints | None
    """The order that sorts the pseudonyms."""
    flags: dict[str, Ints]
    digest: bytes
    reply: IngestReply
    rejected: Path | None = None
    """Parquet: file, row, column and reason of what was left out; None: nothing was."""


def read_source(
    manifest: Manifest, lines: Mapping[str, int], source: Path, folder: Path, *, pseudonymise: Pseudonymise,
    limits: IngestLimits, scan: ScanOrder | None = None,
) -> Intake:  # fmt: skip
    """Read the owner's file, or all files of a folder, in a jail.

    Raises PublicationRefused with the jail's code, or SandboxFailed.
    """
    order = replace(_order(manifest, lines, limits), scan=scan)
    taker = _Taker(manifest, order, folder, pseudonymise)
    with opened(source) as descriptors:
        done = run_once(
            "catalog.jailed.scan:read" if scan is not None else "catalog.jailed.ingest:main",
            msgspec.msgpack.encode(order),
            descriptors,
            consume=taker.take,
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=limits.max_output_bytes,
            threads=limits.threads,
            extra=libraries() if scan is not None else (),
        )
    if taker.failed is not None:
        raise taker.failed
    reply = decode_reply(done.reply, IngestReply)
    if reply.refusal is not None:
        _refuse(reply, lines)
    if not taker.whole or taker.rows != reply.rows or (reply.rejected > 0) != taker.has_rejected:
        raise PublicationRefused("ingest.unreadable")
    return taker.intake(reply)


@contextmanager
def opened(source: Path) -> Iterator[list[int]]:
    """Descriptors of the file, or of all files of the folder by their names, without what tools leave beside them.

    Raises PublicationRefused for none, or too many.
    """
    files = [source]
    if source.is_dir():
        found = (path for path in source.rglob("*") if path.is_file() and not path.is_symlink())
        files = sorted(p for p in found if not any(n[0] in "._" for n in p.relative_to(source).parts))
    if not files:
        raise PublicationRefused("ingest.empty")
    if len(files) > _MAX_FILES:
        raise PublicationRefused("ingest.too_many_files", files=len(files), max=_MAX_FILES)
    with ExitStack() as stack:
        yield [stack.enter_context(path.open("rb")).fileno() for path in files]


def decode_reply(reply: bytes, kind: type[T]) -> T:
    """A jail's reply; what does not decode is a refusal, as everything from a jail is only data."""
    try:
        return msgspec.msgpack.decode(reply, type=kind)
    except msgspec.DecodeError as e:
        raise PublicationRefused("ingest.unreadable") from e


def _refuse(reply: IngestReply, lines: Mapping[str, int]) -> None:
    assert reply.refusal is not None
    params = dict(reply.refusal.params)
    if names := params.pop("names", None):
        params["columns"] = ", ".join(f"{n} (dòng/line {lines.get(n, 0)})" for n in names)
    raise PublicationRefused(reply.refusal.code, **params)


def _order(manifest: Manifest, lines: Mapping[str, int], limits: IngestLimits) -> IngestOrder:
    columns = _event_columns(manifest, lines) if manifest.events else [
        IngestColumn(name=c.name, type=STORED_TYPE[c.type], format=c.format, line=lines.get(c.name, 0))
        for c in _read_columns(manifest)
    ]  # fmt: skip
    if manifest.subject_key is not None:
        columns.append(
            IngestColumn(
                name=manifest.subject_key, type="VARCHAR", line=lines.get(manifest.subject_key, 0), required=True
            )
        )
    for name in dict.fromkeys(manifest.consent.values()):
        columns.append(IngestColumn(name=name, type="BOOLEAN", line=lines.get(name, 0)))
    return IngestOrder(
        columns=tuple(columns), null_words=manifest.null_words, max_rows=limits.max_rows,
        max_bytes=limits.max_bytes, max_row_group_bytes=limits.max_row_group_bytes, rolling=_rolling(manifest),
        reading=manifest.reading, persons=True,
    )  # fmt: skip


def _event_columns(manifest: Manifest, lines: Mapping[str, int]) -> list[IngestColumn]:
    """What each event needs of a row, under names that no column of a file has: they begin with a blank."""
    found = []
    for column in _read_columns(manifest):
        event = manifest.events[column.name]
        kind = "VARCHAR" if event.take in ("count", "distinct") else STORED_TYPE[column.type]
        for name, source, type_, format_ in (
            (f" {column.name}", event.of, kind, column.format),
            (f" by {column.name}", event.by, "TIMESTAMP", event.by_format),
        ):
            if source is not None:
                line = lines.get(source, 0)
                found.append(IngestColumn(name=name, type=type_, format=format_, source=source, line=line))
    return found


def _rolling(manifest: Manifest) -> Rolling | None:
    if not manifest.events:
        return None
    assert manifest.subject_key is not None  # a manifest without it is refused
    rolls = []
    for column in _read_columns(manifest):
        event = manifest.events[column.name]
        value, by = (f" {column.name}" if event.of else "", f" by {column.name}" if event.by else "")
        rolls.append(Roll(name=column.name, take=event.take, type=STORED_TYPE[column.type], value=value, by=by))
    flags = tuple(dict.fromkeys(manifest.consent.values()))
    return Rolling(rolls=tuple(rolls), key=manifest.subject_key, flags=flags)


def _read_columns(manifest: Manifest) -> tuple[ManifestColumn, ...]:
    """Identifiers and dropped columns are not even read, but for the subject key."""
    return manifest.columns_of("quasi-identifier", "sensitive", "measure")


class _Taker:
    """Consumes the stream of batches. Every batch is validated: what wrote it has read a stranger's file."""

    def __init__(self, manifest: Manifest, order: IngestOrder, folder: Path, pseudonymise: Pseudonymise) -> None:
        self.manifest, self.order, self.pseudonymise = manifest, order, pseudonymise
        self.path, self.rejected_path = folder / "persons.arrow", folder / "rejected.parquet"
        self.kept = [c.name for c in _read_columns(manifest)]
        self.pseudonyms = bytearray()
        self.flags: dict[str, list[Ints]] = {name: [] for name in manifest.consent.values()}
        self.rows, self.nameless, self.whole, self.has_rejected = 0, 0, False, False
        self.failed: OSError | None = None

    def take(self, stream: BinaryIO) -> None:
        """Until the stream's end, or to where it is no Arrow stream any more."""
        try:
            self._take(stream)
            self.whole = True
        except (pa.ArrowException, KeyError, MemoryError):
            self.whole = False
        except OSError as e:
            self.failed = e
        drain(stream)

    def _take(self, stream: BinaryIO) -> None:
        shown = {c.name: c.sql_name for c in _read_columns(self.manifest)}
        names = [shown[n] for n in self.kept]
        found, batches = arriving(stream)
        with self.path.open("xb") as file:
            self.path.chmod(0o600)
            schema = pa.schema([found.field(n).with_name(shown[n]) for n in self.kept])
            with pa.ipc.new_stream(file, schema) as writer:
                for batch in batches:
                    self._names(batch)
                    writer.write_batch(batch.select(self.kept).rename_columns(names))
                    self.rows += batch.num_rows
        self._rejected(stream)

    def _rejected(self, stream: BinaryIO) -> None:
        schema, batches = arriving(stream)
        with self.rejected_path.open("xb") as file:
            self.rejected_path.chmod(0o600)
            if schema != REJECTED:
                raise pa.ArrowInvalid("another schema")
            with parquet.ParquetWriter(file, REJECTED_PLAIN, compression="zstd", store_schema=False) as writer:
                for batch in batches:
                    self._require_named(batch)
                    writer.write_table(pa.table(batch).cast(REJECTED_PLAIN))
                    self.has_rejected = True

    def _require_named(self, batch: pa.RecordBatch) -> None:
        """Names of columns and codes, and nothing else. Raises ArrowInvalid."""
        known = {"", *(c.reads for c in self.order.columns)}
        named = set(batch.column("column").dictionary.to_pylist()) <= known
        if not named or not all(map(_CODE.fullmatch, batch.column("reason").dictionary.to_pylist())):
            raise pa.ArrowInvalid("another word")

    def _names(self, batch: pa.RecordBatch) -> None:
        for name, pieces in self.flags.items():
            pieces.append(
                batch.column(name).fill_null(fill_value=False).to_numpy(zero_copy_only=False).astype(bool)
            )
        if self.manifest.subject_key is None:
            return
        keys = batch.column(self.manifest.subject_key)
        self.nameless += keys.null_count
        if keys.null_count:
            return
        if len(keys.dictionary) < len(keys):
            self.pseudonyms += self._hashed(keys.dictionary)[keys.indices.to_numpy()].tobytes()
        else:
            self.pseudonyms += self._hashed(keys.dictionary_decode()).tobytes()

    def _hashed(self, texts: pa.Array) -> Ints:
        """n × 16 bytes."""
        hashed = bytearray()
        for begin in range(0, len(texts), _KEY_ROWS):
            hashed += b"".join(self.pseudonymise(texts.slice(begin, _KEY_ROWS).to_pylist()))
        return np.frombuffer(hashed, dtype=np.uint8).reshape(-1, PSEUDONYM_BYTES)

    def intake(self, reply: IngestReply) -> Intake:
        """Raises PublicationRefused for persons with several rows."""
        if self.nameless:
            raise PublicationRefused(
                "ingest.unreadable"
            )  # the jail is to refuse rows without a key by their lines
        pseudonyms = ascending = None
        if self.manifest.subject_key is not None:
            pseudonyms = np.frombuffer(self.pseudonyms, dtype=np.uint8).reshape(-1, PSEUDONYM_BYTES)
            ascending = _require_once(pseudonyms, self.manifest.subject_key)
        flags = {name: np.concatenate(pieces) for name, pieces in self.flags.items()}
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        return Intake(
            rows=self.rows,
            persons=self.path,
            pseudonyms=pseudonyms,
            ascending=ascending,
            flags=flags,
            digest=digest,
            reply=reply,
            rejected=self.rejected_path if self.has_rejected else None,
        )


def _require_once(pseudonyms: Ints, column: str) -> Ints:
    """The order that sorts them. Raises PublicationRefused if one stands twice."""
    order = sort_order(pseudonyms)
    halves = pseudonyms.view(">u8")[order]
    again = (halves[1:] == halves[:-1]).all(axis=1)
    if again.any():
        first = again & ~np.concatenate([[False], again[:-1]])
        raise PublicationRefused(
            "ingest.subject_twice", rows=int(again.sum()), persons=int(first.sum()), column=column
        )
    return order
