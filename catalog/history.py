"""The broker's book of a lineage: who was shown as what, in which cohort; who waits, and since when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import Struct

from catalog.cohorts import Ints
from catalog.errors import VersionDamaged
from catalog.intake import Intake
from catalog.intersected import intersected
from catalog.making import Made
from catalog.past import (
    CARRIED,
    DISSOLVED,
    LEFT,
    OUT_CHANGED,
    OUT_CONSENT,
    OUT_LEFT,
    OUT_SHORT,
    RETIRED,
    Past,
    past_of,
    read_arrays,
    write_arrays,
)
from catalog.subjects import PSEUDONYM_BYTES, find_ascending, find_names, sort_order

Reason = Literal["few", "left", "consent", "changed", "short", "parted", "moved"]
_REASONS: dict[int, Reason] = {
    OUT_LEFT: "left", OUT_CONSENT: "consent", OUT_CHANGED: "changed", OUT_SHORT: "short",
}  # fmt: skip


class Waiting(Struct, frozen=True, kw_only=True):
    """Persons of the file whom a version does not show, for one reason; for its owner only.

    few: too few alike who are new. moved: those whom another version showed as something else; too few, or whoever
    knew both cohorts would know too much. left, consent, changed: their cohort is out, because somebody left the
    file, took consent back, or changed. short: it no longer meets k or ℓ of the manifest. parted: their cohort
    came back without them. `cohorts` that are out; `since_ms`: the first version in which any of them waits.
    """

    reason: Reason
    persons: int
    cohorts: int
    since_ms: int

    @property
    def since(self) -> datetime:
        """The same as an instant."""
        return datetime.fromtimestamp(self.since_ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class History:
    """`names`: of each datum, ascending (n × 16 bytes; none for unit row). `since_ms`: of each cohort, when it
    went out, 0 while it is shown. `waiting`, `waiting_since_ms`: who was never shown as they are, ascending.
    `coding`: digest of how they are shown (`catalog.coding`), empty in books kept before there was one."""

    names: Ints
    past: Past
    since_ms: Ints
    waiting: Ints
    waiting_since_ms: Ints
    coding: bytes


def read_history(private: Path) -> History:
    """Of a version in the store. Raises VersionDamaged."""
    file = private / "history.npz"
    try:
        with file.open("rb") as opened:
            arrays = read_arrays(opened)
        return History(
            arrays["names"], past_of(arrays), arrays["since_ms"], arrays["waiting"], arrays["waiting_since_ms"],
            arrays["coding"].tobytes() if "coding" in arrays else b"",
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as e:
        raise VersionDamaged(private.name, file.name) from e


def write_history(private: Path, history: History) -> None:
    """Beside the version's other private files."""
    book = {name: getattr(history, name) for name in ("names", "since_ms", "waiting", "waiting_since_ms")}
    book["coding"] = np.frombuffer(history.coding, dtype=np.uint8)
    with (private / "history.npz").open("xb") as file:
        write_arrays(file, book | history.past.arrays())


def placed(history: History, intake: Intake) -> Past:
    """The past with the row of each person in the new file."""
    if intake.pseudonyms is None or intake.ascending is None:
        return history.past
    place = find_ascending(intake.pseudonyms[intake.ascending], history.names)
    row = np.where(place >= 0, intake.ascending[place], LEFT)
    return replace(history.past, row=row.astype(np.int32))


def follow(
    history: History | None, made: Made, intake: Intake, mask: Ints, at_ms: int, coding: bytes, *, narrow: bool
) -> tuple[History, tuple[Waiting, ...]]:
    """The book after a version is made, and who waits. `narrow`: whether files show sensitive values."""
    empty = np.empty((0, PSEUDONYM_BYTES), dtype=np.uint8)
    old = history or History(empty, _nothing(made), np.empty(0, np.int64), empty, np.empty(0, np.int64), coding)
    past = placed(old, intake).fitted(made.values.shape[1], made.contributes.shape[1])
    alive = np.flatnonzero(made.lives >= 0)
    known = np.zeros(len(mask), dtype=bool)
    known[made.lives[alive]] = True
    names, after = _after(old.names, past, made, intake, known, narrow=narrow)
    out = np.flatnonzero(made.fate >= OUT_LEFT)
    since_ms = np.zeros(len(after.classes), dtype=np.int64)
    since_ms[made.reply.cohorts : made.reply.cohorts + len(out)] = np.where(
        old.since_ms[out] > 0, old.since_ms[out], at_ms
    )
    unseen = (mask != 0) & (made.cohort < 0)
    parted = np.zeros(len(mask), dtype=bool)
    parted[made.lives[alive[np.isin(made.fate[past.cohort[alive]], (DISSOLVED, RETIRED))]]] = True
    rows = np.flatnonzero(unseen & (~known | parted))
    known_before = np.zeros(len(mask), dtype=bool)
    if made.kinds is None:  # rows name persons
        known_before[past.row[(past.row >= 0) & (made.lives != past.row)]] = True
    called = _called(made, intake, rows)
    place = find_names(old.waiting, called)
    waits_ms = np.where(place >= 0, old.waiting_since_ms[place] if len(old.waiting) else 0, at_ms)
    by = sort_order(called)
    report = (
        *_report(waits_ms, parted[rows], known_before[rows]),
        *_report_out(made, past, since_ms[made.reply.cohorts :], out, alive),
    )  # fmt: skip
    return History(names, after, since_ms, called[by], waits_ms[by], coding), report


def _nothing(made: Made) -> Past:
    numbers = np.empty(0, dtype=np.int32)
    flags = numbers.astype(bool)
    return Past(
        row=numbers, digest=numbers.astype(np.uint64), cohort=numbers, atom=numbers, again=flags,
        values=made.values[:0], contributes=made.contributes[:0],
        classes=numbers.astype(np.uint64), level=numbers.astype(np.int8), retired=flags, given=made.given[:0],
        purposes=numbers, core=numbers.astype(np.uint64),
        generation=numbers, versions=0,
    )  # fmt: skip


def _called(made: Made, intake: Intake, rows: Ints) -> Ints:
    """What the persons of these rows are called: pseudonyms; for unit row class and values."""
    if intake.pseudonyms is not None:
        chosen: Ints = intake.pseudonyms[rows]
        return chosen
    assert made.kinds is not None  # decoded for unit row
    both = np.stack([made.kinds[rows], made.digest[rows]], axis=1).astype(">u8")
    return both.view(np.uint8).reshape(-1, PSEUDONYM_BYTES)


def _after(names: Ints, past: Past, made: Made, intake: Intake, known: Ints, *, narrow: bool) -> tuple[Ints, Past]:
    """Cohorts in the order: shown now, out, gone for good."""
    found = intersected(made, past, narrow=narrow)
    shown, out = made.reply.cohorts, np.flatnonzero(made.fate >= OUT_LEFT)
    later = np.concatenate([out, np.flatnonzero(np.isin(made.fate, (DISSOLVED, RETIRED)))])
    number = made.number.astype(np.int64)
    number[later] = shown + np.arange(len(later))
    cohort, atom = number[past.cohort], past.atom.astype(np.int64)
    moved = np.flatnonzero((made.lives >= 0) & (made.fate[past.cohort] == DISSOLVED))
    moved = moved[made.cohort[made.lives[moved]] >= 0]
    cohort[moved] = made.cohort[made.lives[moved]]
    pairs, split = np.unique((atom[moved] << 32) | cohort[moved], return_inverse=True)
    atom[moved] = len(past.generation) + split
    rows = np.flatnonzero(~known & (made.cohort >= 0))
    there = np.zeros(shown, dtype=bool)
    there[made.cohort[rows]] = True
    cohorts = np.flatnonzero(there)
    fresh = (np.cumsum(there) + (len(past.generation) + len(pairs) - 1)).astype(np.int32)
    by: Ints | slice = slice(None)
    again = np.zeros(len(past.digest) + len(rows), dtype=bool)
    if intake.pseudonyms is not None:
        names = np.concatenate([names, intake.pseudonyms[rows]])
        by = sort_order(names)
        names = names[by]
        again[1:] = (names[1:] == names[:-1]).all(axis=1)
    values = {
        "digest": np.concatenate([past.digest, made.digest[rows]])[by],
        "cohort": np.concatenate([cohort.astype(np.int32), made.cohort[rows]])[by],
        "atom": np.concatenate([atom.astype(np.int32), fresh[made.cohort[rows]]])[by],
        "values": np.concatenate([past.values, made.values[rows]])[by],
        "contributes": np.concatenate([past.contributes, made.contributes[rows]])[by],
        "again": again,
    }
    retired = np.zeros(shown + len(later), dtype=bool)
    retired[shown + len(out) :] = True
    return names, Past(
        row=np.empty(0, dtype=np.int32),
        classes=np.concatenate([made.classes, past.classes[later]]),
        level=np.concatenate([made.level, past.level[later]]),
        retired=retired,
        given=np.concatenate([made.given, past.given[later]]),
        purposes=_purposes(past, made, found.purposes, number, later),
        core=found.book(pairs, cohorts, past.values.shape[1]) if narrow else np.empty(0, dtype=np.uint64),
        generation=np.concatenate(
            [past.generation, past.generation[pairs >> 32], np.full(len(cohorts), past.versions)]
        ).astype(np.int32),
        versions=past.versions + 1,
        visible=past.visible | made.visible,
        **values,
    )


def _purposes(past: Past, made: Made, now: Ints, number: Ints, later: Ints) -> Ints:
    """Of each cohort of the book the purposes for which it, or one whose persons it took over, was ever shown."""
    ever = np.concatenate([now, past.purposes[later]])
    carried = np.flatnonzero((made.fate == CARRIED) & (past.purposes >= 0))
    ever[number[carried]] |= past.purposes[carried]
    alive = np.flatnonzero((made.lives >= 0) & (made.fate[past.cohort] == DISSOLVED))
    stands = made.cohort[made.lives[alive]]
    inside = (stands >= 0) & (past.purposes[past.cohort[alive]] >= 0)
    np.bitwise_or.at(ever, stands[inside], past.purposes[past.cohort[alive[inside]]])
    return ever.astype(np.int32)


def _report(since_ms: Ints, parted: Ints, moved: Ints) -> tuple[Waiting, ...]:
    found = []
    groups: tuple[tuple[Reason, Ints], ...] = (
        ("few", ~parted & ~moved), ("moved", moved & ~parted), ("parted", parted),
    )  # fmt: skip
    for reason, chosen in groups:
        if chosen.any():
            since = int(since_ms[chosen].min())
            found.append(Waiting(reason=reason, persons=int(chosen.sum()), cohorts=0, since_ms=since))
    return tuple(found)


def _report_out(made: Made, past: Past, since_ms: Ints, out: Ints, alive: Ints) -> tuple[Waiting, ...]:
    """By the reason for which cohorts are out; those with nobody left in the file keep nobody waiting."""
    people = np.bincount(past.cohort[alive], minlength=len(made.fate))[out]
    found = []
    for fate, reason in _REASONS.items():
        chosen = (made.fate[out] == fate) & (people > 0)
        if chosen.any():
            found.append(
                Waiting(
                    reason=reason, persons=int(people[chosen].sum()), cohorts=int(chosen.sum()),
                    since_ms=int(since_ms[: len(out)][chosen].min()),
                )
            )  # fmt: skip
    return tuple(found)
