"""The broker's side of the second and third jail: takes finished parts in, has them measured by another."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from msgspec import Struct

from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.intake import Intake, decode_reply
from catalog.limits import IngestLimits
from catalog.manifest import STORED_TYPE, Manifest
from catalog.transforms import shipped_hierarchy
from catalog.wire import (
    AnonymiseColumn,
    AnonymiseOrder,
    AnonymiseReply,
    MeasureColumn,
    MeasureOrder,
    MeasureReply,
    PartHead,
    drain,
    read_frames,
)
from sandbox.isolation.oneshot import run_once


class MadePart(Struct, frozen=True, kw_only=True):
    path: Path
    sha256: str
    rows: int
    mask: int


class Made(Struct, frozen=True, kw_only=True):
    """The second jail's work: parts on disk, and per input row its cohort and digest."""

    parts: tuple[MadePart, ...]
    cohort: Ints
    digest: Ints
    ranges: Ints
    classes: Ints
    reply: AnonymiseReply


def anonymise(manifest: Manifest, intake: Intake, mask: Ints, folder: Path, limits: IngestLimits) -> Made:
    """Form cohorts and parts in a fresh jail. Raises PublicationRefused, SandboxFailed."""
    masks = folder / "masks.bin"
    masks.write_bytes(mask.astype(np.int32).tobytes())
    taker = _Taker(folder)
    with intake.persons.open("rb") as persons, masks.open("rb") as masks_file:
        done = run_once(
            "catalog.jailed.anonymise:main",
            msgspec.msgpack.encode(anonymise_order(manifest, intake.digest, limits)),
            [persons.fileno(), masks_file.fileno()],
            consume=taker.take,
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=limits.max_output_bytes,
            threads=limits.threads,
        )
    if taker.failed is not None:
        raise taker.failed
    masks.unlink()
    reply = decode_reply(done.reply, AnonymiseReply)
    if reply.refusal is not None:
        raise PublicationRefused(reply.refusal.code, **reply.refusal.params)
    return taker.made(reply, mask)


def anonymise_order(manifest: Manifest, seed: bytes, limits: IngestLimits) -> AnonymiseOrder:
    """What the second jail is told; hierarchies go in as text."""
    columns = tuple(
        AnonymiseColumn(
            name=c.sql_name,
            type=STORED_TYPE[c.type],
            role=c.published_role,
            fine=c.transform,
            coarse=c.fallback,
        )
        for c in manifest.columns_of("quasi-identifier", "sensitive", "measure")
    )
    named = {t.hierarchy for c in columns for t in (c.fine, c.coarse) if t is not None and t.hierarchy}
    hierarchies = {
        name: manifest.hierarchies[name] if name in manifest.hierarchies else shipped_hierarchy(name)
        for name in sorted(named)
    }
    return AnonymiseOrder(
        columns=columns, hierarchies=hierarchies, mode=manifest.mode, k=manifest.k, l=manifest.l,
        max_left_out_share=manifest.max_left_out_share, seed=seed, part_rows=limits.part_rows,
        row_group_rows=limits.row_group_rows,
    )  # fmt: skip


class _Taker:
    """Writes parts as they come; keeps the private arrays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: list[MadePart] = []
        self.arrays: dict[bytes, bytearray] = {}
        self.failed: OSError | None = None

    def take(self, stream: BinaryIO) -> None:
        """Until the stream's end; a disk that is full is told afterwards."""
        try:
            self._take(stream)
        except (msgspec.DecodeError, msgspec.ValidationError):
            self.arrays.clear()
        except OSError as e:
            self.failed = e
        drain(stream)

    def _take(self, stream: BinaryIO) -> None:
        head: PartHead | None = None
        for kind, body in read_frames(stream):
            if kind == b"HEAD":
                head = msgspec.msgpack.decode(body, type=PartHead)
            elif kind == b"PART" and head is not None:
                self._part(head, body)
                head = None
            else:
                self.arrays[kind] = body

    def _part(self, head: PartHead, body: bytearray) -> None:
        path = self.folder / f"part-{len(self.parts):05d}.parquet"
        with path.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        path.chmod(0o444)
        self.parts.append(
            MadePart(path=path, sha256=hashlib.sha256(body).hexdigest(), rows=head.rows, mask=head.mask)
        )

    def made(self, reply: AnonymiseReply, mask: Ints) -> Made:
        """Raises PublicationRefused if what came is not whole: a jail's word is never taken for it."""
        try:
            cohort = np.frombuffer(self.arrays[b"COHO"], dtype=np.int32)
            digest = np.frombuffer(self.arrays[b"DIGE"], dtype=np.uint64)
            ranges = np.frombuffer(self.arrays[b"RNGE"], dtype=np.int64).reshape(-1, 3)
            classes = np.frombuffer(self.arrays[b"CLAS"], dtype=np.uint64)
        except (KeyError, ValueError) as e:
            raise PublicationRefused("publication.not_whole") from e
        same = len(cohort) == len(digest) == len(mask) and len(ranges) == len(classes) == reply.cohorts
        inside = cohort[cohort >= 0]
        if not same or not len(inside) or inside.max() >= reply.cohorts or len(inside) != reply.persons:
            raise PublicationRefused("publication.not_whole")
        self._require_consent(mask, cohort, ranges)
        return Made(
            parts=tuple(self.parts), cohort=cohort, digest=digest, ranges=ranges, classes=classes, reply=reply
        )

    def _require_consent(self, mask: Ints, cohort: Ints, ranges: Ints) -> None:
        """Raises PublicationRefused unless each part's purposes are those that every person in it consented to."""
        said = np.array([part.mask for part in self.parts], dtype=np.int64)
        part = ranges[:, 0]
        if ((part < 0) | (part >= len(said))).any():
            raise PublicationRefused("publication.not_whole")
        inside = cohort >= 0
        if (said[part[cohort[inside]]] != mask[inside]).any():
            raise PublicationRefused("publication.not_whole")


def measure(manifest: Manifest, intake: Intake, made: Made, folder: Path, limits: IngestLimits) -> MeasureReply:
    """Measure k, ℓ and t on the finished files in another jail. Raises PublicationRefused if they fall short."""
    shown = manifest.columns_of("quasi-identifier", "sensitive", "measure")
    order = MeasureOrder(
        columns=tuple(
            MeasureColumn(
                name=c.sql_name, type=made.reply.types.get(c.sql_name, STORED_TYPE[c.type]), role=c.published_role
            )
            for c in shown
        ),
        mode=manifest.mode, k=manifest.k, l=manifest.l, parts=len(made.parts),
    )  # fmt: skip
    files = [p.path for p in made.parts]
    with ExitStack() as stack:
        opened = [
            stack.enter_context(path.open("rb"))
            for path in [*files, *_private_inputs(manifest, intake, made, folder)]
        ]
        done = run_once(
            "catalog.jailed.measure:main",
            msgspec.msgpack.encode(order),
            [file.fileno() for file in opened],
            consume=lambda stream: stream.read(1),
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=1024,
            threads=limits.threads,
        )
    reply = decode_reply(done.reply, MeasureReply)
    if reply.fault:
        raise PublicationRefused("publication.measured_short", fault=reply.fault, k=reply.k, l=reply.l or 0)
    if reply.persons != made.reply.persons or reply.rows != made.reply.rows:
        raise PublicationRefused("publication.measured_short", fault="persons", k=reply.k, l=reply.l or 0)
    return reply


def _private_inputs(manifest: Manifest, intake: Intake, made: Made, folder: Path) -> Iterator[Path]:
    ranges, cohort = folder / "ranges.bin", folder / "cohort.bin"
    ranges.write_bytes(made.ranges.tobytes())
    yield ranges
    if manifest.mode == "aggregate":
        cohort.write_bytes(made.cohort.tobytes())
        yield cohort
        yield intake.persons
