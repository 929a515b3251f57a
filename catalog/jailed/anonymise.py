"""The second jail: persons without names become cohorts, and cohorts become the parts of a version."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
from numpy.random import PCG64, Generator, SeedSequence

from catalog.cohorts import Codes, Ints, class_keys, form
from catalog.jailed.coding import Coded, code_column, sensitive_codes
from catalog.jailed.digests import digests
from catalog.jailed.drivers import drivers
from catalog.jailed.loaded import LOADED
from catalog.jailed.measures import Measure, read_measure
from catalog.jailed.parts import Finished, write_parts
from catalog.jailed.refused import Refused
from catalog.jailed.sample import sample
from catalog.wire import AnonymiseOrder, AnonymiseReply, write_frame


@dataclass(frozen=True, slots=True)
class Persons:
    """Everybody who consented to something (or all, where consent is not the basis)."""

    dimensions: list[Coded]
    sensitive: list[Coded]
    measures: list[Measure]
    mask: Ints
    rank: Ints


assert LOADED  # imported for what importing it does


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """inputs: the persons' table (Arrow IPC stream) and their consent masks (int32). Writes frames: part heads and
    parts, each person's cohort, each person's digest, each cohort's class. Returns an AnonymiseReply."""
    order = msgspec.msgpack.decode(payload, type=AnonymiseOrder)
    try:
        reply = _anonymise(order, inputs, output)
    except Refused as refused:
        reply = AnonymiseReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def _anonymise(order: AnonymiseOrder, inputs: Sequence[int], output: BinaryIO) -> AnonymiseReply:
    persons, present, total = _read(order, inputs)
    shown = [sensitive_codes(c, order.k) for c in persons.sensitive]
    codes = [c for c, _, _ in shown]
    _require_attributes(order, persons, [b for _, _, b in shown])
    cohort, fine_cohorts, cohorts = _two_levels(order, persons, codes)
    left_out = cohort < 0
    coarse_keys = _keys(persons, coarse=True)
    lost = np.unique(coarse_keys[left_out])
    _require_few(order, persons, codes, left_out, len(lost))
    finished = write_parts(
        order, persons.dimensions, persons.sensitive, [s for _, s, _ in shown], persons.measures, persons.mask,
        cohort, fine_cohorts, cohorts, persons.rank, output,
    )  # fmt: skip
    _write_private(output, persons, finished, present, total)
    return AnonymiseReply(
        persons=int((~left_out).sum()),
        cohorts=cohorts,
        rows=finished.rows,
        fine_persons=int(((cohort >= 0) & (cohort < fine_cohorts)).sum()),
        left_out_persons=int(left_out.sum()),
        left_out_classes=len(lost),
        without_consent=total - len(present),
        rare_values_blanked=sum(b for _, _, b in shown),
        types={c.column.name: c.type for c in (*persons.dimensions, *persons.sensitive)},
        logical_bytes=finished.logical_bytes,
        sample=sample(order, persons.dimensions, persons.sensitive, [s for _, s, _ in shown], persons.measures,
                      finished),
    )  # fmt: skip


def _read(order: AnonymiseOrder, inputs: Sequence[int]) -> tuple[Persons, Ints, int]:
    with os.fdopen(os.dup(inputs[0]), "rb") as file, os.fdopen(os.dup(inputs[1]), "rb") as masks:
        file.seek(0)
        masks.seek(0)
        table = pa.ipc.open_stream(file).read_all()
        mask = np.frombuffer(masks.read(), dtype=np.int32)
    total = table.num_rows
    present = np.flatnonzero(mask != 0)
    if len(present) < total:
        table, mask = table.take(pa.array(present)), mask[present]
    random = Generator(PCG64(SeedSequence(int.from_bytes(order.seed, "big"))))
    rank = random.permutation(len(present))
    by_role = {
        role: [c for c in order.columns if c.role == role] for role in ("quasi-identifier", "sensitive", "measure")
    }
    coded = {
        role: [code_column(c, table.column(c.name), order.hierarchies) for c in by_role[role]]
        for role in ("quasi-identifier", "sensitive")
    }
    measures = [read_measure(c, table.column(c.name)) for c in by_role["measure"]]
    return Persons(coded["quasi-identifier"], coded["sensitive"], measures, mask, rank), present, total


def _keys(persons: Persons, *, coarse: bool, chosen: Ints | None = None) -> Ints:
    """Class of each person: the set of consented purposes and every quasi-identifier at that level."""
    pick = slice(None) if chosen is None else chosen
    masks, mask = np.unique(persons.mask[pick], return_inverse=True)
    columns = [Codes(mask, len(masks))]
    for c in persons.dimensions:
        columns.append(Codes((c.coarse if coarse else c.fine)[c.codes[pick]], len(c.shown)))
    return class_keys(columns, len(mask))


def _two_levels(order: AnonymiseOrder, persons: Persons, sensitive: list[Codes]) -> tuple[Ints, int, int]:
    """Each person's cohort (−1: left out), how many are fine (the low numbers), how many there are."""
    cohort, fine = form(_keys(persons, coarse=False), sensitive, k=order.k, l=order.l, rank=persons.rank)
    rest = np.flatnonzero(cohort < 0)
    keys = _keys(persons, coarse=True, chosen=rest)
    part = [Codes(s.codes[rest], s.size) for s in sensitive]
    coarse, count = form(keys, part, k=order.k, l=order.l, rank=np.argsort(np.argsort(persons.rank[rest])))
    cohort[rest] = np.where(coarse >= 0, coarse + fine, -1)
    return cohort, fine, fine + count


def _require_attributes(order: AnonymiseOrder, persons: Persons, blanked: list[int]) -> None:
    """Raises Refused for a sensitive column of which too many values are nearly one person's own (rows mode)."""
    total = len(persons.mask)
    for coded, cells in zip(persons.sensitive, blanked, strict=True):
        if order.mode == "rows" and cells > order.max_left_out_share * total:
            raise Refused(
                "publication.sensitive_too_identifying", column=coded.column.name, persons=cells, k=order.k,
                share=round(100 * cells / total, 1), max_share=round(100 * order.max_left_out_share, 1),
            )  # fmt: skip


def _require_few(
    order: AnonymiseOrder, persons: Persons, sensitive: list[Codes], left_out: Ints, classes: int
) -> None:
    """Raises Refused with who drives it if more than the manifest's share is left out, or nobody remains."""
    total, lost = len(left_out), int(left_out.sum())
    if total and lost <= order.max_left_out_share * total and lost < total:
        return
    if total < order.k:
        raise Refused("publication.too_few_persons", persons=total, k=order.k)
    found = drivers(order, persons.dimensions, sensitive, persons.mask, left_out)
    words = "; ".join(f"{d.column}: {d.values} / {d.rare} / {d.saved}" for d in found)
    raise Refused(
        "publication.too_identifying",
        persons=lost, classes=classes, total=total, share=round(100 * lost / total, 1),
        max_share=round(100 * order.max_left_out_share, 1), k=order.k, l=order.l, column=found[0].column,
        values=found[0].values, saved=found[0].saved, drivers=words,
    )  # fmt: skip


def _write_private(output: BinaryIO, persons: Persons, finished: Finished, present: Ints, total: int) -> None:
    """Each input row's cohort (final number, −1: not in the version) and digest, for the broker only."""
    number = np.full(total, -1, dtype=np.int32)
    number[present] = finished.number
    digest = np.zeros(total, dtype=np.uint64)
    digest[present] = digests(persons.sensitive, persons.measures, len(present))
    write_frame(output, b"COHO", number.tobytes())
    write_frame(output, b"DIGE", digest.tobytes())
    write_frame(output, b"RNGE", finished.ranges.astype(np.int64).tobytes())
    write_frame(output, b"CLAS", finished.classes.astype(np.uint64).tobytes())
