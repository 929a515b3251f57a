"""The second jail: persons without names become cohorts, and cohorts become the parts of a version."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
from numpy.random import PCG64, Generator, SeedSequence

from catalog.cohorts import Ints
from catalog.jailed.coding import code_column
from catalog.jailed.digests import class_numbers, digests, value_numbers
from catalog.jailed.drivers import drivers
from catalog.jailed.forming import Formed, Persons, coded_keys, form_cohorts
from catalog.jailed.loaded import LOADED
from catalog.jailed.measures import read_measures
from catalog.jailed.parts import Finished, write_parts
from catalog.jailed.refused import Refused
from catalog.jailed.sample import sample
from catalog.jailed.singled import singled_out
from catalog.past import SILENT, Past, past_of, read_arrays
from catalog.wire import AnonymiseOrder, AnonymiseReply, write_array

assert LOADED  # imported for what importing it does


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """inputs: the persons' table (Arrow IPC stream), their consent masks (int32), and, in a lineage that has shown
    something, its past (`catalog.past`). Writes frames: part heads and parts, then the private arrays. Returns an
    AnonymiseReply."""
    order = msgspec.msgpack.decode(payload, type=AnonymiseOrder)
    try:
        reply = _anonymise(order, inputs, output)
    except Refused as refused:
        reply = AnonymiseReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def _anonymise(order: AnonymiseOrder, inputs: Sequence[int], output: BinaryIO) -> AnonymiseReply:
    persons, present, total = _read(order, inputs)
    past = _past(persons, inputs[2], present, total) if len(inputs) > 2 else None
    formed = form_cohorts(order, persons, past)
    _require_attributes(order, persons, formed)
    left_out = formed.cohort < 0
    lost = len(np.unique(coded_keys(persons, np.flatnonzero(left_out), level=order.level_count - 1)))
    _require_few(order, persons, formed, lost)
    finished = write_parts(order, persons, formed, output)
    _write_private(order, output, persons, formed, finished, present, total)
    released = formed.cohort[~left_out]
    return AnonymiseReply(
        persons=len(released),
        cohorts=len(formed.masks),
        rows=finished.rows,
        fine_persons=int((formed.level == 0)[released].sum()),
        left_out_persons=int(left_out.sum()),
        left_out_classes=lost,
        without_consent=total - len(present),
        rare_values_blanked=sum(s.blanked for s in formed.seen),
        types={c.column.name: c.type for c in (*persons.dimensions, *persons.sensitive)},
        logical_bytes=finished.logical_bytes,
        sample=sample(order, persons, formed, finished),
        pairs=singled_out(persons, formed) if order.mode == "rows" else (),
    )


def _read(order: AnonymiseOrder, inputs: Sequence[int]) -> tuple[Persons, Ints, int]:
    with os.fdopen(os.dup(inputs[1]), "rb") as masks:
        masks.seek(0)
        mask = np.frombuffer(masks.read(), dtype=np.int32)
    # Mapped, not read: the columns are looked at once, and what is the file's own can be dropped by the kernel.
    mapped = mmap.mmap(inputs[0], 0, access=mmap.ACCESS_READ)
    table = pa.ipc.open_stream(pa.py_buffer(mapped)).read_all()
    total = table.num_rows
    present = np.flatnonzero(mask != 0)
    if len(present) < total:
        table, mask = table.take(pa.array(present)), mask[present]
    random = Generator(PCG64(SeedSequence(int.from_bytes(order.seed, "big"))))
    rank = random.permutation(len(present)).astype(np.int32)
    by_role = {role: [c for c in order.columns if c.role == role] for role in ("quasi-identifier", "sensitive")}
    dimensions, sensitive = (
        [code_column(c, table.column(c.reads), order.hierarchies) for c in by_role[role]]
        for role in ("quasi-identifier", "sensitive")
    )
    measures = read_measures(order, table)
    digest = digests(sensitive, measures, len(present))
    return Persons(dimensions, sensitive, measures, mask, rank, digest), present, total


def _past(persons: Persons, descriptor: int, present: Ints, total: int) -> Past:
    """What the lineage has shown, with the rows of those who consent to something counted apart."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        past = past_of(read_arrays(file))
    place = np.full(total, SILENT, dtype=np.int32)
    place[present] = np.arange(len(present))
    there = past.row >= 0
    row = past.row.astype(np.int32)
    row[there] = place[row[there]]
    return replace(past, row=row).fitted(len(persons.sensitive), len(persons.measures))


def _require_attributes(order: AnonymiseOrder, persons: Persons, formed: Formed) -> None:
    """Raises Refused for a sensitive column of which too many values are nearly one person's own (rows mode)."""
    total = len(persons.mask)
    for coded, seen in zip(persons.sensitive, formed.seen, strict=True):
        if order.mode == "rows" and seen.blanked > order.max_left_out_share * total:
            raise Refused(
                "publication.sensitive_too_identifying", column=coded.column.name, persons=seen.blanked, k=order.k,
                share=round(100 * seen.blanked / total, 1), max_share=round(100 * order.max_left_out_share, 1),
            )  # fmt: skip


def _require_few(order: AnonymiseOrder, persons: Persons, formed: Formed, classes: int) -> None:
    """Raises Refused with who drives it if more than the manifest's share is left out, or nobody remains.

    Who only waits because of what the lineage has shown is no fault of manifest or file: then it is judged by what
    a first version would leave out.
    """
    left_out = formed.cohort < 0
    total, lost = len(left_out), int(left_out.sum())
    if total and lost <= order.max_left_out_share * total and lost < total:
        return
    if total < order.k:
        raise Refused("publication.too_few_persons", persons=total, k=order.k)
    if formed.kept is not None:
        _require_few(order, persons, form_cohorts(order, persons, None), classes)
        if lost == total:
            raise Refused("publication.all_wait", persons=total, k=order.k)
        return
    found = drivers(order, persons.dimensions, formed.sensitive, persons.mask, left_out)
    said = {
        "persons": lost, "total": total, "share": round(100 * lost / total, 1),
        "max_share": round(100 * order.max_left_out_share, 1), "k": order.k, "l": order.l,
    }  # fmt: skip
    if lost < total and classes == 1 and not found[0].saved and all(driver.values == 1 for driver in found):
        raise Refused("publication.too_few_fall_back", **said)
    words = "; ".join(f"{d.column}: {d.values} / {d.rare} / {d.saved}" for d in found)
    raise Refused(
        "publication.too_identifying",
        **said, classes=classes, drivers=words,
        column=found[0].column, values=found[0].values, saved=found[0].saved,
    )  # fmt: skip


def _write_private(
    order: AnonymiseOrder, output: BinaryIO, persons: Persons, formed: Formed, finished: Finished, present: Ints,
    total: int,
) -> None:  # fmt: skip
    """For the broker only: of each input row, of each cohort, of what the lineage had shown before."""

    def rows(values: Ints, dtype: type, empty: int) -> memoryview:
        every = np.full((total, *values.shape[1:]), empty, dtype=dtype)
        every[present] = values
        return every.data.cast("B") if every.size else memoryview(b"")

    contributes = np.array([m.present for m in persons.measures], dtype=bool).reshape(-1, len(present)).T
    write_array(output, b"COHO", rows(finished.cohort, np.int32, -1))
    write_array(output, b"DIGE", rows(persons.digest, np.uint64, 0))
    values = value_numbers(persons.sensitive, formed.seen, len(present))
    write_array(output, b"VALU", rows(values, np.uint32, 0))
    write_array(output, b"HAVE", rows(contributes, np.bool_, 0))
    write_array(output, b"RNGE", finished.ranges.astype(np.int64).tobytes())
    write_array(output, b"CLAS", finished.classes.astype(np.uint64).tobytes())
    write_array(output, b"LEVL", finished.level.astype(np.int8).tobytes())
    write_array(output, b"GIVE", finished.given.tobytes())
    write_array(output, b"SEEN", msgspec.msgpack.encode({
        c.column.name: s.since for c, s in zip(persons.sensitive, formed.seen, strict=True)
    }))  # fmt: skip
    if not order.followed:
        fine = [c.fine[c.codes] for c in persons.dimensions]
        write_array(output, b"KIND", rows(class_numbers(persons.dimensions, fine, len(present)), np.uint64, 0))
    if formed.kept is not None:
        lives = formed.lives.copy()
        lives[lives >= 0] = present[lives[lives >= 0]]
        number = formed.kept.number.copy()
        number[number >= 0] = finished.number[number[number >= 0]]
        write_array(output, b"LIVE", lives.astype(np.int32).tobytes())
        write_array(output, b"FATE", formed.kept.fate.astype(np.int8).tobytes())
        write_array(output, b"NUMB", number.astype(np.int32).tobytes())
