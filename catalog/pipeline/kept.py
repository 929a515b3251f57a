"""What the stages leave in the work folder, so that a killed publication goes on from the last finished one.

<folder>/<stage>/…       what it made; private, as the folder is
<folder>/<stage>.json    written last: its record, and the SHA-256 of each file it made
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from catalog.cohorts import Ints
from catalog.history import Waiting
from catalog.intake import Intake
from catalog.making import Made, MadePart
from catalog.pipeline.record import Stage, StageRecord
from catalog.quality.report import QualityReport
from catalog.risk.figures import Risk
from catalog.storage import sync
from catalog.subjects import sort_order
from catalog.version import Version
from catalog.wire import AnonymiseReply, IngestReply

ARRAYS = (
    "cohort", "digest", "values", "contributes", "kinds", "ranges", "classes", "level", "given", "lives", "fate",
    "number",
)  # fmt: skip
"""Of `Made`; `kinds` may be absent."""


class KeptRecord(Struct, frozen=True, kw_only=True):
    """`files`: below the stage's folder → SHA-256 (hex)."""

    record: StageRecord
    files: dict[str, str]


class KeptIntake(Struct, frozen=True, kw_only=True):
    rows: int
    digest: bytes
    reply: IngestReply
    flags: tuple[str, ...]


class KeptMade(Struct, frozen=True, kw_only=True):
    parts: tuple[tuple[str, str, int, int], ...]
    """Name, SHA-256, rows, mask."""
    visible: dict[str, dict[int, int]]
    reply: AnonymiseReply


class KeptVersion(Struct, frozen=True, kw_only=True):
    """What is told of a version beside its files; `sample`: generated rows that share no record with the data."""

    version: Version
    waiting: tuple[Waiting, ...]
    sample: list[dict[str, Any]]
    rows_read: int
    read: IngestReply
    without_consent: int
    rare_values_blanked: int
    risk: Risk | None


class Bench:
    """A folder with a room for each stage. `lasting` False: nothing is written for a later process."""

    def __init__(self, folder: Path, *, lasting: bool) -> None:
        self.folder, self.lasting = folder, lasting

    def room(self, stage: Stage) -> Path:
        """The stage's folder."""
        return self.folder / stage

    def cleared(self, stage: Stage) -> Path:
        """The stage's folder, new and empty; what it said of an earlier run is gone first."""
        (self.folder / f"{stage}.json").unlink(missing_ok=True)
        room = self.room(stage)
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(mode=0o700)
        return room

    def earlier(self, stage: Stage, input_sha256: str) -> StageRecord | None:
        """The stage's record if it passed on the same input and all that it left is still what it was."""
        if not self.lasting:
            return None
        try:
            kept = msgspec.json.decode((self.folder / f"{stage}.json").read_bytes(), type=KeptRecord)
        except (OSError, msgspec.DecodeError):
            return None
        same = kept.record.input_sha256 == input_sha256 and kept.files == _digests(self.room(stage))
        return msgspec.structs.replace(kept.record, resumed=True) if same else None

    def keep(self, record: StageRecord) -> None:
        """Make what the stage left lasting; its record comes last, whole or not at all."""
        if not self.lasting:
            return
        room = self.room(record.stage)
        for path in sorted(room.rglob("*")):
            sync(path)
        sync(room)
        self._write(KeptRecord(record=record, files=_digests(room)))

    def shed(self, stage: Stage) -> None:
        """Remove what the stage made, persons' own records, and keep its record: it is made again when needed."""
        kept = msgspec.json.decode((self.folder / f"{stage}.json").read_bytes(), type=KeptRecord)
        self._write(msgspec.structs.replace(kept, files={}))
        shutil.rmtree(self.room(stage), ignore_errors=True)

    def is_shed(self, stage: Stage) -> bool:
        return self.lasting and not self.room(stage).exists()

    def _write(self, kept: KeptRecord) -> None:
        draft = self.folder / f"{kept.record.stage}.draft"
        draft.write_bytes(msgspec.json.encode(kept))
        sync(draft)
        draft.rename(self.folder / f"{kept.record.stage}.json")
        sync(self.folder)


def keep_intake(room: Path, intake: Intake) -> None:
    """Beside persons.arrow, which is there."""
    arrays = {f"flag{number}": array for number, array in enumerate(intake.flags.values())}
    if intake.pseudonyms is not None:
        arrays["pseudonyms"] = intake.pseudonyms
    _write_arrays(room / "intake.npz", arrays)
    head = KeptIntake(rows=intake.rows, digest=intake.digest, reply=intake.reply, flags=tuple(intake.flags))
    _write(room / "intake.bin", head)


def load_intake(room: Path) -> Intake:
    """What `keep_intake` kept; the files were compared with their hashes before."""
    head = msgspec.msgpack.decode((room / "intake.bin").read_bytes(), type=KeptIntake)
    arrays = _read_arrays(room / "intake.npz")
    pseudonyms, rejected = arrays.get("pseudonyms"), room / "rejected.parquet"
    return Intake(
        rows=head.rows, persons=room / "persons.arrow", pseudonyms=pseudonyms,
        ascending=None if pseudonyms is None else sort_order(pseudonyms),
        flags={name: arrays[f"flag{number}"] for number, name in enumerate(head.flags)},
        digest=head.digest, reply=head.reply, rejected=rejected if rejected.exists() else None,
    )  # fmt: skip


def keep_made(room: Path, made: Made, mask: Ints) -> None:
    """Beside the parts, which are there."""
    arrays = {name: getattr(made, name) for name in ARRAYS if getattr(made, name) is not None}
    _write_arrays(room / "made.npz", {**arrays, "mask": mask})
    parts = tuple((part.path.name, part.sha256, part.rows, part.mask) for part in made.parts)
    _write(room / "made.bin", KeptMade(parts=parts, visible=made.visible, reply=made.reply))


def load_made(room: Path) -> tuple[Made, Ints]:
    """What `keep_made` kept, and the consents that it was made by."""
    head = msgspec.msgpack.decode((room / "made.bin").read_bytes(), type=KeptMade)
    arrays = _read_arrays(room / "made.npz")
    mask = arrays.pop("mask")
    parts = tuple(
        MadePart(path=room / name, sha256=sha256, rows=rows, mask=bits) for name, sha256, rows, bits in head.parts
    )
    given = {name: arrays.get(name) for name in ARRAYS}
    return Made(parts=parts, visible=head.visible, reply=head.reply, **given), mask  # type: ignore[arg-type]


def keep_version(room: Path, done: KeptVersion) -> None:
    """Beside the two folders that are ready for the store."""
    _write(room / "version.bin", done)


def load_version(room: Path) -> KeptVersion:
    """What `keep_version` kept."""
    return msgspec.msgpack.decode((room / "version.bin").read_bytes(), type=KeptVersion)


def keep_quality(room: Path, found: QualityReport) -> None:
    """Nothing else lies in its room."""
    _write(room / "quality.bin", found)


def load_quality(room: Path) -> QualityReport | None:
    """What `keep_quality` kept; None where no suite came."""
    path = room / "quality.bin"
    return msgspec.msgpack.decode(path.read_bytes(), type=QualityReport) if path.exists() else None


def _write(path: Path, value: Struct) -> None:
    path.write_bytes(msgspec.msgpack.encode(value))
    path.chmod(0o600)


def _write_arrays(path: Path, arrays: dict[str, Ints]) -> None:
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        np.savez(file, allow_pickle=False, **arrays)


def _read_arrays(path: Path) -> dict[str, Ints]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _digests(room: Path) -> dict[str, str]:
    found = {}
    for path in sorted(room.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[str(path.relative_to(room))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
