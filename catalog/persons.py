"""dp mode: the finished files are the persons' records themselves, in an order that tells nothing.

No stranger's bytes are parsed here: what is read is the table that the broker wrote of batches it had validated,
so no jail is needed. A person is a cohort of her own: then a withdrawal rewrites the part without her one record,
by the same means that take a cohort out in the other modes. Nobody is left out and nothing is generalised, for
what protects a person in this mode is only the noise.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET
from numpy.random import PCG64, Generator, SeedSequence
from pyarrow import parquet

from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.intake import Intake
from catalog.limits import IngestLimits
from catalog.making import Made, MadePart
from catalog.manifest import Manifest, ManifestColumn
from catalog.version import Version
from catalog.wire import AnonymiseReply

_TEXT_BYTES = 16
_BYTES = {"text": _TEXT_BYTES, "integer": 8, "number": 8, "boolean": 1, "date": 4, "timestamp": 8}


def write_persons(manifest: Manifest, intake: Intake, mask: Ints, folder: Path, limits: IngestLimits) -> Made:
    """The parts, each of one set of purposes, and which person stands where.

    Raises PublicationRefused for more persons than the manifest says, or values that it does not declare.
    """
    privacy = manifest.privacy
    assert privacy is not None  # a manifest in dp mode without it is refused
    released = np.flatnonzero(mask != 0)
    if not len(released):
        raise PublicationRefused("publication.too_few_persons", persons=0, k=1)
    if len(released) > privacy.persons_at_most:
        raise PublicationRefused("publication.more_persons", said=privacy.persons_at_most)
    table = pa.ipc.open_stream(pa.memory_map(str(intake.persons))).read_all()
    shown = manifest.columns_of("quasi-identifier", "sensitive", "measure")
    for column in shown:
        _require_declared(table.column(column.sql_name), column)
    random = Generator(PCG64(SeedSequence(secrets.randbits(256))))
    mixed = random.permutation(released)
    mixed = mixed[np.argsort(mask[mixed], kind="stable")]
    parts, ranges = _write(table.take(pa.array(mixed)), mask[mixed], folder, limits)
    cohort = np.full(intake.rows, -1, dtype=np.int64)
    cohort[mixed] = np.arange(len(mixed))
    most = privacy.persons_at_most
    reply = AnonymiseReply(
        persons=most, cohorts=most, rows=most, fine_persons=most, without_consent=intake.rows - len(released),
        logical_bytes={c.sql_name: most * _BYTES[c.type] for c in shown},
    )  # fmt: skip
    none = np.empty(0, dtype=np.int64)
    return Made(
        parts=parts, cohort=cohort, ranges=ranges, reply=reply, digest=none, values=none, contributes=none,
        kinds=None, classes=none, level=none, given=none, lives=none, fate=none, number=none, visible={},
    )  # fmt: skip


def require_same_privacy(manifest: Manifest, previous: Version | None) -> None:
    """Raises PublicationRefused for a budget that is not the lineage's: it would be renewed, or taken back.

    Bounds and domains may change: they are of one version, and each answer's noise is made for its own.
    """
    if previous is None or previous.privacy is UNSET or manifest.privacy is None:
        return
    before, now = previous.privacy, manifest.privacy
    said = ("rho_cap_micro", "rho_agreement_micro", "delta")
    changed = [name for name in said if getattr(before, name) != getattr(now, name)]
    if changed:
        raise PublicationRefused("publication.privacy_changed", keys=", ".join(changed))


def _require_declared(values: pa.ChunkedArray, column: ManifestColumn) -> None:
    if column.values is None:
        return
    inside = pc.is_in(values, value_set=pa.array(column.values, pa.string()))
    strange = pc.sum(pc.and_(pc.invert(inside), pc.is_valid(values))).as_py() or 0
    if strange:
        raise PublicationRefused("publication.values_strange", column=column.sql_name, rows=strange)


def _write(table: pa.Table, masks: Ints, folder: Path, limits: IngestLimits) -> tuple[tuple[MadePart, ...], Ints]:
    parts: list[MadePart] = []
    ranges = np.empty((len(masks), 3), dtype=np.int64)
    for index, (begin, end) in enumerate(_cut(masks, limits.part_rows)):
        path = folder / f"part-{index:05d}.parquet"
        # Whoever knows all records but one could try them against the part's hash: so it is salted.
        salted = table.slice(begin, end - begin).replace_schema_metadata({"salt": secrets.token_hex(32)})
        with path.open("xb") as file:
            # Nor the least and largest value: by those the engine plans, and one record would decide what of an
            # expression is reckoned for all of them, so how long it takes.
            parquet.write_table(
                salted, file, compression="zstd", row_group_size=limits.row_group_rows, store_schema=False,
                write_statistics=False,
            )  # fmt: skip
            file.flush()
            os.fsync(file.fileno())
        path.chmod(0o444)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        parts.append(MadePart(path=path, sha256=sha256, rows=end - begin, mask=int(masks[begin])))
        place = np.arange(end - begin)
        ranges[begin:end] = np.stack([np.full(end - begin, index), place, place + 1], axis=1)
    return tuple(parts), ranges


def _cut(masks: Ints, part_rows: int) -> Iterator[tuple[int, int]]:
    """Rows of the parts: one set of purposes each, at most `part_rows`."""
    borders = [0, *(np.flatnonzero(np.diff(masks)) + 1).tolist(), len(masks)]
    for begin, end in itertools.pairwise(borders):
        for at in range(begin, end, part_rows):
            yield at, min(at + part_rows, end)
