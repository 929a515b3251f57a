"""Between versions (invariant 3): the persons of a class that came, left or changed are none or ≥ k."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from msgspec import Struct

from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.subjects import PSEUDONYM_BYTES, Subjects


class Standing(Struct, frozen=True):
    """Who stands where in a version. `classes`: of each cohort. For unit row `names` is None, `sizes` counts."""

    classes: Ints
    sizes: Ints
    names: Ints | None = None
    cohort: Ints | None = None
    digest: Ints | None = None


def read_standing(private: Path) -> Standing:
    """Of a version in the store."""
    classes = np.load(private / "classes.npy", allow_pickle=False)
    sizes = np.load(private / "sizes.npy", allow_pickle=False)
    if not (private / "subjects.bin").exists():
        return Standing(classes, sizes)
    names, cohort = Subjects(private / "subjects.bin").all()
    return Standing(classes, sizes, names, cohort, np.load(private / "digests.npy", allow_pickle=False))


def require_whole(before: Standing, after: Standing, k: int) -> None:
    """Raises PublicationRefused with how many classes and persons would have to wait."""
    if before.names is None or after.names is None:
        classes, changed = _changed_sizes(before, after)
    else:
        classes, changed = _changed_persons(before, after)
    waiting = (changed > 0) & (changed < k)
    if waiting.any():
        raise PublicationRefused(
            "publication.too_few_changed", classes=int(waiting.sum()), persons=int(changed[waiting].sum()), k=k,
            of_classes=len(np.unique(classes)),
        )  # fmt: skip


def _changed_sizes(before: Standing, after: Standing) -> tuple[Ints, Ints]:
    classes, where = np.unique(np.concatenate([before.classes, after.classes]), return_inverse=True)
    signed = np.concatenate([-before.sizes, after.sizes])
    return classes, np.abs(np.bincount(where, weights=signed)).astype(np.int64)


def _changed_persons(before: Standing, after: Standing) -> tuple[Ints, Ints]:
    """Per class, persons who are in it in one version only, or in both with other values."""
    records = np.concatenate([_records(before), _records(after)])
    _, inverse, counts = np.unique(records, return_inverse=True, return_counts=True)
    single = counts[inverse.ravel()] == 1
    who_where = np.ascontiguousarray(records[single]).view(np.uint8).reshape(-1, PSEUDONYM_BYTES + 16)
    pairs = np.unique(np.ascontiguousarray(who_where[:, : PSEUDONYM_BYTES + 8]).view(f"V{PSEUDONYM_BYTES + 8}"))
    classes = pairs.view(np.uint8).reshape(-1, PSEUDONYM_BYTES + 8)[:, PSEUDONYM_BYTES:]
    return np.unique(np.ascontiguousarray(classes).view(np.uint64).ravel(), return_counts=True)


def _records(standing: Standing) -> Ints:
    """Pseudonym, class and digest of each person as one void: two versions share a record if nothing changed."""
    assert standing.names is not None  # asked by the caller
    assert standing.cohort is not None
    assert standing.digest is not None
    table = np.empty((len(standing.names), PSEUDONYM_BYTES + 16), dtype=np.uint8)
    table[:, :PSEUDONYM_BYTES] = standing.names
    table[:, PSEUDONYM_BYTES : PSEUDONYM_BYTES + 8] = (
        standing.classes[standing.cohort].astype(np.uint64).view(np.uint8).reshape(-1, 8)
    )
    table[:, PSEUDONYM_BYTES + 8 :] = standing.digest.astype(np.uint64).view(np.uint8).reshape(-1, 8)
    return table.view(f"V{PSEUDONYM_BYTES + 16}").ravel()
