"""The join itself: names are compared in the broker, who alone may, and only those in both halves go on.

No jail ever holds a name, so none can say who was joined with whom. What the next jail gets is what it always
gets: columns without names, of persons who are in both files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.intake import Intake
from catalog.joint.contribution import Half
from catalog.manifest import Manifest
from catalog.subjects import find_names
from catalog.wire import IngestReply

_BATCH_ROWS = 65_536


def match(joint: Manifest, lead: Half, partner: Half, path: Path) -> Intake:
    """The persons who are in both halves, their columns written to `path`, as if one file had named them.

    Raises PublicationRefused where they are fewer than k.
    """
    place = find_names(partner.pseudonyms[partner.ascending], lead.pseudonyms)
    ours = np.flatnonzero(place >= 0)
    theirs = partner.ascending[place[ours]]
    if len(ours) < joint.k:
        raise PublicationRefused("publication.joint_too_few", k=joint.k)
    _write(path, (lead.persons, ours), (partner.persons, theirs))
    pseudonyms = lead.pseudonyms[ours]
    rank = np.empty(len(lead.ascending), dtype=np.int64)
    rank[lead.ascending] = np.arange(len(lead.ascending))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return Intake(
        rows=len(ours),
        persons=path,
        pseudonyms=pseudonyms,
        ascending=np.argsort(rank[ours], kind="stable"),
        flags=_flags(joint, (lead, ours), (partner, theirs)),
        digest=digest,
        reply=IngestReply(rows=len(ours)),
    )


def _flags(joint: Manifest, *halves: tuple[Half, Ints]) -> dict[str, Ints]:
    """Purpose → who said yes to it at every owner whose basis is consent."""
    said: dict[str, Ints] = {}
    for purpose in joint.consent:
        yes = np.ones(len(halves[0][1]), dtype=bool)
        for half, rows in halves:
            if half.manifest.legal_basis.kind == "consent":
                column = half.manifest.consent.get(purpose)
                yes &= half.flags[column][rows] if column is not None else False
        said[purpose] = yes
    return said


def _write(path: Path, *halves: tuple[Path, Ints]) -> None:
    """Both halves' columns side by side, a batch at a time."""
    tables = [_mapped(file) for file, _ in halves]
    rows = [chosen for _, chosen in halves]
    schema = pa.schema([field for table in tables for field in table.schema])
    with path.open("xb") as file, pa.ipc.new_stream(file, schema) as writer:
        path.chmod(0o600)
        for begin in range(0, len(rows[0]), _BATCH_ROWS):
            arrays = [
                array
                for table, chosen in zip(tables, rows, strict=True)
                for array in _taken(table, chosen[begin : begin + _BATCH_ROWS])
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _mapped(path: Path) -> pa.Table:
    return pa.ipc.open_stream(pa.memory_map(str(path))).read_all().unify_dictionaries()


def _taken(table: pa.Table, rows: Ints) -> Iterator[pa.Array]:
    """Texts are encoded anew: a dictionary would bring the values of those who are in one file only."""
    for column in table.take(pa.array(rows)).columns:
        array = column.combine_chunks()
        yield array.dictionary_decode().dictionary_encode() if pa.types.is_dictionary(array.type) else array
