"""What an archived month is made of, and how it proves itself with nothing but the log's key.

events.parquet   leaf, event (canonical JSON, as its commitment sees it), leaf data
salts.parquet    leaf, salt: apart, and written again when a salt was erased
tile/…           the tiles and entry bundles (C2SP tlog-tiles) that these leaves stand in
checkpoint       the signed head at the month's end
manifest.json    the month, its leaves, hashes of all files, the roots of all that was before it
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet
from msgspec import Struct

from marketplace.audit import tree
from marketplace.audit.canonical import exact
from marketplace.audit.commitment import commitment
from marketplace.audit.leaf import read_leaf
from marketplace.verifier.note import VerifierKey, open_checkpoint

SCHEMA = "sandulieu-archive/1"
EVENTS, SALTS, CHECKPOINT, MANIFEST = "events.parquet", "salts.parquet", "checkpoint", "manifest.json"
EVENT_COLUMNS = pa.schema([("leaf", pa.int64()), ("event", pa.string()), ("leaf_data", pa.string())])
SALT_COLUMNS = pa.schema([("leaf", pa.int64()), ("salt", pa.binary())])
ROWS = 4096
HASH_BYTES = 1024 * 1024


class ArchiveBroken(ValueError):
    """The folder is not the archive of that month of that log."""


class File(Struct, frozen=True, kw_only=True):
    name: str
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """Leaves from `first` (included) to `size` (not). `before`: hashes (hex) of the subtrees that make up the
    leaves below `first`. `keep_until`: YYYY-MM, by the law named."""

    schema: str = SCHEMA
    month: str
    first: int
    size: int
    before: tuple[str, ...]
    salts: int
    law: str
    keep_until: str
    files: tuple[File, ...]


class Verified(Struct, frozen=True, kw_only=True):
    """`opened`: events whose salt is there and opens their commitment; the others were erased."""

    month: str
    events: int
    opened: int


def described(folder: Path) -> tuple[File, ...]:
    """Every file of the folder but the manifest, hashed."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return tuple(file_of(path, path.relative_to(folder).as_posix()) for path in paths)


def file_of(path: Path, name: str) -> File:
    """As the manifest lists it."""
    return File(name=name, bytes=path.stat().st_size, sha256=sha256_of(path))


def sha256_of(path: Path) -> str:
    """Of a file of any length."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Raises ArchiveBroken, OSError."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except msgspec.DecodeError as wrong:
        raise ArchiveBroken(f"{MANIFEST}: {wrong}") from wrong


def verify_archive(folder: Path, key: VerifierKey) -> Verified:
    """That the files are those of the manifest, and the events those below the head that `key` signed.

    Raises ArchiveBroken, NoteRefused, OSError."""
    manifest = read_manifest(folder)
    for file in manifest.files:
        if sha256_of(folder / file.name) != file.sha256:
            raise ArchiveBroken(f"{file.name} is not what the manifest says")
    head = open_checkpoint((folder / CHECKPOINT).read_text(), key)
    if head.size != manifest.size:
        raise ArchiveBroken("the head is not that of the month's end")
    frontier = [bytes.fromhex(each) for each in manifest.before]
    if len(frontier) != len(tree.range_nodes(0, manifest.first)):
        raise ArchiveBroken("the roots of what was before are not whole")
    leaf, opened, salts = manifest.first, 0, _salts(folder)
    for row in _rows(folder / EVENTS):
        if row["leaf"] != leaf:
            raise ArchiveBroken(f"leaf {leaf} is missing")
        opened += _opens(row, salts.pop(leaf, None))
        list(tree.append(frontier, leaf, [tree.leaf_hash(row["leaf_data"].encode())]))
        leaf += 1
    if leaf != manifest.size or tree.fold(frontier) != head.root or salts:
        raise ArchiveBroken("the leaves do not give the root that was signed")
    return Verified(month=manifest.month, events=leaf - manifest.first, opened=opened)


def _opens(row: dict[str, Any], salt: bytes | None) -> bool:
    if salt is None:
        return False
    stated = exact(msgspec.json.decode(row["event"]))
    if commitment(salt, stated).hex() != read_leaf(row["leaf_data"]).c:
        raise ArchiveBroken(f"leaf {row['leaf']} commits to another event")
    return True


def _salts(folder: Path) -> dict[int, bytes]:
    return {row["leaf"]: row["salt"] for row in _rows(folder / SALTS)}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pa.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS):
            yield from batch.to_pylist()
