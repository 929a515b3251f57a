"""What a lineage has shown so far, as arrays; also the form in which the second jail is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import BinaryIO

import msgspec
import numpy as np

from catalog.cohorts import Ints, value_pairs
from catalog.version import LEVELS

LEFT, SILENT, CHANGED = -1, -2, -3
"""Instead of a row: not in the file; consents to nothing; is something else now."""
CARRIED, DISSOLVED, RETIRED, OUT_LEFT, OUT_CONSENT, OUT_CHANGED, OUT_SHORT = range(7)
"""What becomes of a cohort: shown as it was; gone into another; gone before; or out, and for what reason."""


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that a lineage has shown: arrays with one entry a datum, a cohort, an atom."""

    row: Ints
    """The person's row in the new file, LEFT or SILENT. Unit row: of no meaning."""
    digest: Ints
    cohort: Ints
    atom: Ints
    again: Ints
    """This person has another datum before this one."""
    values: Ints
    """Data × sensitive columns: a hash of the value, 0 where empty."""
    contributes: Ints
    """Data × measures: whether the person has a value."""
    classes: Ints
    """Of each cohort; so are the next three. Cohorts shown by the newest version come first."""
    level: Ints
    """At which level of generalisation it stands, 0 the fine one."""
    retired: Ints
    given: Ints
    """Cohorts × measures: whether its sums were shown."""
    purposes: Ints
    """For which purposes any version has shown it, as bits; negative, and of nobody else, where a book does not
    say."""
    generation: Ints
    """Of each atom: the version, counted from 0, that showed it first."""
    core: Ints
    """What anybody in an atom could have, as `catalog.candidates` has it; where the values are not seen,
    nothing."""
    versions: int
    visible: dict[str, dict[int, int]] = field(default_factory=dict)
    """Sensitive column → stable number of a value → the version from which on it is not blanked for rarity."""

    def fitted(self, sensitive: int, measures: int) -> Past:
        """With that many columns. Where the number differs nothing can be as it was: what was known of it is of no
        use."""
        if (self.values.shape[1], self.contributes.shape[1]) == (sensitive, measures):
            return self
        return replace(
            self,
            values=np.zeros((len(self.digest), sensitive), dtype=np.uint32),
            contributes=np.zeros((len(self.digest), measures), dtype=bool),
            given=np.zeros((len(self.classes), measures), dtype=bool),
            core=np.zeros(0, dtype=np.uint64),
        )

    def arrays(self) -> dict[str, Ints]:
        """For a file of arrays."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("versions", "visible")}
        visible = np.frombuffer(msgspec.msgpack.encode(self.visible), dtype=np.uint8)
        return named | {"versions": np.array(self.versions), "visible": visible}


def past_of(arrays: dict[str, Ints]) -> Past:
    """From what `Past.arrays` gave. Raises KeyError, ValueError (also for a level that no version has)."""
    if "coarse" in arrays:  # books kept before there were several fallbacks
        arrays = arrays | {"level": arrays["coarse"].astype(np.int8)}
    if "purposes" not in arrays:  # books kept before observers of one purpose were thought of
        arrays = arrays | {"purposes": -1 - np.arange(len(arrays["classes"]), dtype=np.int32)}
    if "core" not in arrays:
        arrays = arrays | {"core": value_pairs(arrays["atom"], arrays["values"])}
    named = {f.name: arrays[f.name] for f in fields(Past) if f.name not in ("versions", "visible")}
    if not ((arrays["level"] >= 0) & (arrays["level"] < len(LEVELS))).all():
        raise ValueError("level")
    visible = msgspec.msgpack.decode(arrays["visible"].tobytes(), type=dict[str, dict[int, int]])
    return Past(**named, versions=int(arrays["versions"]), visible=visible)


def write_arrays(file: BinaryIO, arrays: dict[str, Ints]) -> None:
    """One file of named arrays, not compressed."""
    np.savez(file, allow_pickle=False, **arrays)


def read_arrays(file: BinaryIO) -> dict[str, Ints]:
    """What `write_arrays` wrote. Raises OSError, ValueError."""
    with np.load(file, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}
