"""The store of released versions: immutable parts by content, what only the broker may read kept apart.

versions/<id>/part-00000.parquet …, version.json      0444, folder 0555 in effect: nobody writes there again
private/<id>/subjects.bin, cohorts.npy, classes.npy, digests.npy      0600 in 0700
revisions/<id>/<part>-<cohorts taken out>.parquet (+ .sha256)      made when first asked for
incoming/      publications under way; removed when they fail
publications/<id>/      those that wait for people: the owner's file sealed, what the stages made; 0700
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from catalog.cohorts import Ints
from catalog.errors import VersionDamaged
from catalog.revisions import part_hash, rewrite
from catalog.subjects import Subjects
from catalog.version import Part, Revision, Version

_REVISIONS_AT_HAND = 1_000


class Store:
    """Everything below one folder. Safe to use from several threads, and from several processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, mode in (
            ("versions", 0o755),
            ("private", 0o700),
            ("revisions", 0o755),
            ("incoming", 0o700),
            ("publications", 0o700),
        ):
            folder = root / name
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
        self._verified: dict[Path, tuple[int, ...]] = {}
        self._made: dict[tuple[str, str | None, int], Revision] = {}
        self._lock = threading.Lock()
        self.version = lru_cache(maxsize=256)(self._version)
        self._ranges = lru_cache(maxsize=16)(self._read_ranges)
        self._subjects = lru_cache(maxsize=16)(self._open_subjects)

    def _version(self, version_id: str) -> Version:
        """The version. Raises VersionDamaged if it is not here or its content is not what its id says."""
        file = self.public(version_id) / "version.json"
        try:
            version = msgspec.json.decode(file.read_bytes(), type=Version)
        except (OSError, msgspec.DecodeError) as e:
            raise VersionDamaged(version_id, file.name) from e
        if version.id != version_id or version_hash(version) != version_id:
            raise VersionDamaged(version_id, file.name)
        return version

    def public(self, version_id: str) -> Path:
        """Folder of a version's parts."""
        return self.root / "versions" / _safe(version_id)

    def private(self, version_id: str) -> Path:
        """Folder of what only the broker may read."""
        return self.root / "private" / _safe(version_id)

    def cohort_of(self, version_id: str, pseudonym: bytes) -> int | None:
        """The cohort in which a person stands; None for somebody who is not in the version."""
        return self.cohorts_of(version_id, [pseudonym])[0]

    def cohorts_of(self, version_id: str, pseudonyms: Sequence[bytes]) -> list[int | None]:
        """As `cohort_of`, of many at once."""
        subjects = self._subjects(version_id)
        if subjects is None:
            return [None] * len(pseudonyms)
        return [None if cohort < 0 else cohort for cohort in subjects.find(pseudonyms).tolist()]

    def purposes_of(self, version_id: str, cohort: int) -> tuple[str, ...]:
        """Purposes for which a cohort was released: consented to by its members, or all on another basis."""
        version = self.version(version_id)
        # One row of a file that may hold millions: mapped, not read.
        ranges = np.load(self.private(version_id) / "cohorts.npy", mmap_mode="r", allow_pickle=False)
        consented = version.parts[int(ranges[cohort, 0])].consented
        return version.purposes if consented is None else consented

    def revision(self, version_id: str, *, purpose: str | None, excluded: frozenset[int], number: int) -> Revision:
        """The parts consented to `purpose` (None: all), without the excluded cohorts. Raises VersionDamaged."""
        version = self.version(version_id)
        ranges = self._ranges(version_id)
        gone = np.array(sorted(c for c in excluded if 0 <= c < len(ranges)), dtype=np.int64)
        parts: list[str] = []
        digest = hashlib.sha256()
        for index, part in enumerate(version.parts):
            if purpose is not None and part.consented is not None and purpose not in part.consented:
                continue
            inside = gone[ranges[gone, 0] == index] if len(gone) else gone
            path, sha256 = self._part(version, part, ranges, inside)
            parts.append(str(path))
            digest.update(bytes.fromhex(sha256))
        made = Revision(version_id=version_id, number=number, hash=digest.hexdigest(), parts=tuple(parts))
        if len(self._made) >= _REVISIONS_AT_HAND:
            self._made.clear()
        self._made[version_id, purpose, number] = made
        return made

    def at_hand(self, version_id: str, *, purpose: str | None, number: int) -> Revision | None:
        """What `revision` gave before, if its files are still those that were verified; waits for nobody.

        Exclusions are only ever added, so their number says which they are.
        """
        made = self._made.get((version_id, purpose, number))
        if made is None or any(self._verified.get(Path(part)) != _identity(Path(part)) for part in made.parts):
            return None
        return made

    def _part(self, version: Version, part: Part, ranges: Ints, gone: Ints) -> tuple[Path, str]:
        original = self.public(version.id) / part.name
        with self._lock:
            self._verify(version.id, original, part.sha256)
            if not len(gone):
                return original, part.sha256
            key = hashlib.sha256(gone.tobytes()).hexdigest()[:32]
            folder = self.root / "revisions" / version.id
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{original.stem}-{key}.parquet"
            recorded = target.with_suffix(".sha256")
            try:
                self._verify(version.id, target, recorded.read_text())
            except (OSError, VersionDamaged):
                # Not made yet, or left half by a crash: all that is in it is in the version.
                rewrite(original, target, ranges[gone, 1:])
                self._verify(version.id, target, recorded.read_text())
            return target, recorded.read_text()

    def _verify(self, version_id: str, path: Path, sha256: str) -> None:
        """Once a process and file, and again if another was put there: what was not released is not read."""
        try:
            seen = _identity(path)
            if seen is not None and self._verified.get(path) == seen:
                return
            found = part_hash(path)
        except OSError as e:
            raise VersionDamaged(version_id, path.name) from e
        if found != sha256:
            raise VersionDamaged(version_id, path.name)
        if seen is not None:
            self._verified[path] = seen

    def _read_ranges(self, version_id: str) -> Ints:
        self.version(version_id)
        ranges: Ints = np.load(self.private(version_id) / "cohorts.npy", allow_pickle=False)
        return ranges

    def _open_subjects(self, version_id: str) -> Subjects | None:
        path = self.private(version_id) / "subjects.bin"
        return Subjects(path) if path.exists() else None


def version_hash(version: Version) -> str:
    """SHA-256 (hex) of the version's canonical JSON (sorted keys, no blanks) without `id`."""
    fields: dict[str, Any] = msgspec.to_builtins(version)
    del fields["id"]
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()


def _identity(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is replaced or written; None: it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _safe(version_id: str) -> str:
    if len(version_id) != 64 or not set(version_id) <= set("0123456789abcdef"):
        raise VersionDamaged(version_id[:64], "id")
    return version_id


def sync(path: Path) -> None:
    """Force a file or a folder's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
