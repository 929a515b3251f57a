"""The optimiser's jail: persons without names are counted once, schemes of generalisation sought, figures told."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Sequence
from typing import BinaryIO

import msgspec
import numpy as np
import pyarrow as pa

from catalog.anonymise.fine import Fine
from catalog.anonymise.frontier import Choice, Frontier, Node, OptimiseOrder
from catalog.anonymise.ladders import Ladder, ladder_of
from catalog.anonymise.lattice import Classes, Finest, count_finest
from catalog.anonymise.scoring import Scored, Scoring
from catalog.anonymise.search import Search
from catalog.cohorts import Codes, Ints
from catalog.jailed.coding import code_column, distinct, seen_values
from catalog.jailed.loaded import LOADED
from catalog.jailed.refused import Refused
from catalog.wire import AnonymiseColumn, AnonymiseOrder

assert LOADED  # imported for what importing it does

MAX_NODES = 12
MOST_FINER = 2
_SEARCH_SHARE = 0.6
"""Of the time; the rest is for the fine levels."""


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """inputs: the persons' table (Arrow IPC stream), their consent masks (int32). Returns a Frontier."""
    order = msgspec.msgpack.decode(payload, type=OptimiseOrder)
    try:
        reply = optimise(order, inputs)
    except Refused as refused:
        reply = Frontier(measure=order.measure, refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def optimise(order: OptimiseOrder, inputs: Sequence[int]) -> Frontier:
    """Raises Refused where not even the coarsest scheme holds."""
    began = time.monotonic()
    asked = order.anonymise
    pinned = frozenset(i for i, c in enumerate(dimensions_of(asked)) if is_band(c, asked))
    finest = _read(asked, inputs, pinned)
    lost = asked.max_left_out_share * finest.total
    if finest.total < asked.k:
        raise Refused("publication.too_few_persons", persons=finest.total, k=asked.k)
    classes, scoring = Classes(finest, k=asked.k, l=asked.l, lost=lost), Scoring(finest, asked.k)
    left_s = order.budget_ms / 1000 - (time.monotonic() - began)
    search = Search(
        classes, scoring, measure=order.measure, t=order.t, pinned=pinned, seconds=_SEARCH_SHARE * left_s,
        seed=int.from_bytes(asked.seed[:8], "big"),
    )  # fmt: skip
    search.run()
    if search.best is None:
        raise Refused("publication.no_scheme", k=asked.k, l=asked.l, t=order.t or 1, persons=finest.total)

    def late() -> bool:
        return time.monotonic() - began > order.budget_ms / 1000

    fine = Fine(classes, scoring, measure=order.measure, t=order.t, pinned=pinned, most=MOST_FINER, late=late)
    schemes = _with_fine(search, fine, classes)
    if not schemes:
        raise Refused("publication.no_scheme", k=asked.k, l=asked.l, t=order.t or 1, persons=finest.total)
    return Frontier(
        measure=order.measure, nodes=tuple(_node(s, finest) for s in schemes),
        least=search.best.loss(order.measure), proven=search.proven, bound=float(search.bound),
        lattice=int(np.prod([float(len(ladder)) for ladder in finest.ladders])), evaluated=classes.formed,
        persons=finest.total, classes=len(finest), search_ms=round(1000 * (time.monotonic() - began)),
    )  # fmt: skip


def dimensions_of(order: AnonymiseOrder) -> list[AnonymiseColumn]:
    """The quasi-identifiers, in the order in which columns are counted."""
    return [c for c in order.columns if c.role == "quasi-identifier"]


def is_band(column: AnonymiseColumn, order: AnonymiseOrder) -> bool:
    """Whether it is the bands of a measure, of which the manifest fixes the fine level and the fallback."""
    return any(c.role == "measure" and c.reads == column.reads for c in order.columns)


def _read(order: AnonymiseOrder, inputs: Sequence[int], pinned: frozenset[int]) -> Finest:
    with os.fdopen(os.dup(inputs[1]), "rb") as masks:
        masks.seek(0)
        mask = np.frombuffer(masks.read(), dtype=np.int32)
    mapped = mmap.mmap(inputs[0], 0, access=mmap.ACCESS_READ)
    table = pa.ipc.open_stream(pa.py_buffer(mapped)).read_all()
    present = np.flatnonzero(mask != 0)
    if len(present) < table.num_rows:
        table, mask = table.take(pa.array(present)), mask[present]
    ladders, codes = [], []
    for number, column in enumerate(dimensions_of(order)):
        each, values = distinct(table.column(column.reads))
        used = np.bincount(each, minlength=len(values)) > 0
        ladders.append(
            _band(column, values, used) if number in pinned else ladder_of(column, values, used, order.hierarchies)
        )
        codes.append(each)
    fixed = np.unique(mask, return_inverse=True)[1]
    sensitive = [_sensitive(c, table, order) for c in order.columns if c.role == "sensitive"]
    # Beside a fallback a column may be finer than it could be alone: half of the persons may then go back.
    lost = max(order.max_left_out_share, 0.5) * len(mask)
    return count_finest(ladders, codes, fixed, sensitive, k=order.k, lost=lost, pinned=pinned)


def _band(column: AnonymiseColumn, values: list[object], used: Ints) -> Ladder:
    ladder = ladder_of(column, values, used, {})  # type: ignore[arg-type]
    chosen = [ladder.levels.index(column.fine), len(ladder) - 1]
    return Ladder(
        column, [ladder.levels[i] for i in chosen], [ladder.groups[i] for i in chosen],
        [ladder.sizes[i] for i in chosen], [ladder.loss[i] for i in chosen],
    )  # fmt: skip


def _sensitive(column: AnonymiseColumn, table: pa.Table, order: AnonymiseOrder) -> Codes:
    """As a first version shows it: a value that fewer than k persons hold is empty."""
    coded = code_column(column, table.column(column.reads), order.hierarchies)
    everybody = np.ones(len(coded.codes), dtype=bool)
    first = np.zeros(len(coded.codes), dtype=np.int64)
    return seen_values(coded, order.k, first=first, new=everybody, version=0, before={}).codes


def _with_fine(search: Search, fine: Fine, classes: Classes) -> list[Scored]:
    """The frontier's schemes, each with the best fine level that time allows; the least loss is tried first."""
    top = classes.top()
    assert top is not None  # the search began there
    made: list[Scored] = []
    for scheme in _undominated(list(search.found.values()), search):
        if fine.late() and not fine.pinned:
            made.append(scheme)
            continue
        state = classes.at(scheme.chain[-1], top)
        if state is not None and (scored := fine.before(state)) is not None:
            made.append(scored)
    return _undominated(made, search)


def _undominated(schemes: list[Scored], search: Search) -> list[Scored]:
    """None of them both loses and risks as much as another; at most MAX_NODES, spread over the loss."""
    kept: list[Scored] = []
    for scheme in sorted(schemes, key=lambda s: (s.loss(search.measure), s.risk)):
        if not kept or scheme.risk < kept[-1].risk:
            kept.append(scheme)
    if len(kept) <= MAX_NODES:
        return kept
    low, high = kept[0].loss(search.measure), kept[-1].loss(search.measure)
    wanted = np.linspace(low, high, MAX_NODES)
    losses = np.array([s.loss(search.measure) for s in kept])
    return [kept[i] for i in sorted({int(np.abs(losses - w).argmin()) for w in wanted})]


def _node(scored: Scored, finest: Finest) -> Node:
    choices = tuple(
        Choice(column=ladder.column.name, levels=tuple(ladder.levels[levels[place]] for levels in scored.chain))
        for place, ladder in enumerate(finest.ladders)
    )
    shown = max(scored.total - scored.lost, 1)
    return Node(
        choices=choices, k=scored.k, l=scored.l, t=scored.t, risk=scored.risk, ncp=scored.ncp,
        discernibility=scored.discernibility, classes=scored.classes, left_out_persons=scored.lost,
        left_out_share=scored.lost / max(scored.total, 1), fine_share=scored.fine_persons / shown,
    )  # fmt: skip
