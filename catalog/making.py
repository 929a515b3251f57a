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
from catalog.manifest import Manifest
from catalog.past import Past, write_arrays
from catalog.reading import STORED_TYPE
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
    """The second jail's work: parts on disk; arrays with an entry an input row (`cohort` … `contributes`, `kinds`
    for unit row), a cohort (`ranges` … `given`), and, where there was a past, a datum (`lives`) or cohort of
    it."""

    parts: tuple[MadePart, ...]
    cohort: Ints
    digest: Ints
    values: Ints
    contributes: Ints
    kinds: Ints | None
    ranges: Ints
    classes: Ints
    level: Ints
    given: Ints
    lives: Ints
    fate: Ints
    number: Ints
    visible: dict[str, dict[int, int]]
    reply: AnonymiseReply


def anonymise(
    manifest: Manifest, intake: Intake, mask: Ints, folder: Path, limits: IngestLimits, past: Past | None
) -> Made:
    """Form cohorts and parts in a fresh jail. Raises PublicationRefused, SandboxFailed."""
    masks, shown = folder / "masks.bin", folder / "past.npz"
    masks.write_bytes(mask.astype(np.int32).tobytes())
    with shown.open("wb") as file:
        write_arrays(file, past.arrays() if past else {})
    order = anonymise_order(manifest, intake.digest, limits)
    taker = _Taker(folder, order, past)
    with ExitStack() as stack:
        told = [intake.persons, masks, *([shown] if past else [])]
        done = run_once(
            "catalog.jailed.anonymise:main",
            msgspec.msgpack.encode(order),
            [stack.enter_context(path.open("rb")).fileno() for path in told],
            consume=taker.take,
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=limits.max_output_bytes,
            threads=limits.threads,
        )
    if taker.failed is not None:
        raise taker.failed
    masks.unlink()
    shown.unlink()
    reply = decode_reply(done.reply, AnonymiseReply)
    if reply.refusal is not None:
        raise PublicationRefused(reply.refusal.code, **reply.refusal.params)
    return taker.made(reply, mask)


def anonymise_order(manifest: Manifest, seed: bytes, limits: IngestLimits) -> AnonymiseOrder:
    """What the second jail is told; hierarchies go in as text. Nothing is anonymised in dp mode."""
    assert manifest.mode != "dp"
    stored = {c.name: c.sql_name for c in manifest.columns}
    columns = tuple(
        AnonymiseColumn(
            name=c.sql_name,
            type=STORED_TYPE[c.type],
            role=c.published_role,
            fine=c.transform,
            coarser=c.fallbacks,
            source=stored[c.name],
        )
        for c in manifest.shown_columns()
    )
    named = {t.hierarchy for c in columns for t in (c.fine, *c.coarser) if t is not None and t.hierarchy}
    hierarchies = {
        name: manifest.hierarchies[name] if name in manifest.hierarchies else shipped_hierarchy(name)
        for name in sorted(named)
    }
    return AnonymiseOrder(
        columns=columns, hierarchies=hierarchies, mode=manifest.mode, k=manifest.k, l=manifest.l,
        max_left_out_share=manifest.max_left_out_share, followed=manifest.privacy_unit == "column",
        seed=seed, part_rows=limits.part_rows,
        row_group_rows=limits.row_group_rows, pairs=manifest.cross_products,
    )  # fmt: skip


class _Taker:
    """Writes parts as they come; keeps the private arrays."""

    def __init__(self, folder: Path, order: AnonymiseOrder, past: Past | None) -> None:
        self.folder, self.order, self.past = folder, order, past
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
                self.arrays.setdefault(kind, bytearray()).extend(body)

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
            made = self._decode(reply, len(mask))
        except (KeyError, ValueError, msgspec.DecodeError) as e:
            raise PublicationRefused("publication.not_whole") from e
        inside = made.cohort[made.cohort >= 0]
        if not len(inside) or inside.max() >= reply.cohorts or len(inside) != reply.persons:
            raise PublicationRefused("publication.not_whole")
        self._require_consent(mask, made.cohort, made.ranges)
        return made

    def _decode(self, reply: AnonymiseReply, rows: int) -> Made:
        cohorts, past = reply.cohorts, self.past
        sensitive = sum(c.role == "sensitive" for c in self.order.columns)
        measures = self.order.measure_count
        data, before = (len(past.digest), len(past.classes)) if past else (0, 0)
        return Made(
            parts=tuple(self.parts), reply=reply,
            cohort=self._array(b"COHO", np.int32, rows), digest=self._array(b"DIGE", np.uint64, rows),
            values=self._array(b"VALU", np.uint32, rows, sensitive),
            contributes=self._array(b"HAVE", np.bool_, rows, measures),
            kinds=None if self.order.followed else self._array(b"KIND", np.uint64, rows),
            ranges=self._array(b"RNGE", np.int64, cohorts, 3), classes=self._array(b"CLAS", np.uint64, cohorts),
            level=self._array(b"LEVL", np.int8, cohorts),
            given=self._array(b"GIVE", np.bool_, cohorts, measures),
            lives=self._array(b"LIVE", np.int32, data), fate=self._array(b"FATE", np.int8, before),
            number=self._array(b"NUMB", np.int32, before),
            visible=msgspec.msgpack.decode(self.arrays[b"SEEN"], type=dict[str, dict[int, int]]),
        )  # fmt: skip

    def _array(self, kind: bytes, dtype: type, *shape: int) -> Ints:
        """Raises KeyError or ValueError if it is not there or not of that shape."""
        body = self.arrays[kind] if shape[0] or kind in self.arrays else b""
        return np.frombuffer(body, dtype=dtype).reshape(shape)

    def _require_consent(self, mask: Ints, cohort: Ints, ranges: Ints) -> None:
        """Raises PublicationRefused unless every person in a part consented to all its purposes."""
        said = np.array([part.mask for part in self.parts], dtype=np.int64)
        part = ranges[:, 0]
        if ((part < 0) | (part >= len(said))).any():
            raise PublicationRefused("publication.not_whole")
        inside = cohort >= 0
        purposes = said[part[cohort[inside]]]
        if ((purposes & mask[inside]) != purposes).any() or (purposes == 0).any():
            raise PublicationRefused("publication.not_whole")


def measure(manifest: Manifest, intake: Intake, made: Made, folder: Path, limits: IngestLimits) -> MeasureReply:
    """Measure k, ℓ and t on the finished files in another jail. Raises PublicationRefused if they fall short."""
    assert manifest.mode != "dp"
    order = MeasureOrder(
        columns=tuple(
            MeasureColumn(
                name=c.sql_name, type=made.reply.types.get(c.sql_name, STORED_TYPE[c.type]), role=c.published_role
            )
            for c in manifest.shown_columns()
        ),
        mode=manifest.mode, k=manifest.k, l=manifest.l, parts=len(made.parts), pairs=manifest.cross_products,
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
