"""Where a person stands in the versions of datasets, found by a pseudonym that is made on the spot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from catalog.storage import Store
from marketplace.consents.subjects import pseudonym
from marketplace.db.keys import Keys


class Listed(Struct, frozen=True, kw_only=True):
    """A dataset whose privacy unit is the person, as far as a person needs to know it."""

    id: UUID
    slug: str
    title_vi: str
    title_en: str
    owner_name: str
    lineage_id: UUID
    version_id: str
    version: int
    released_at: datetime
    purposes: tuple[str, ...]
    legal_basis: str
    law: str


class Mine(Struct, frozen=True, kw_only=True):
    """A dataset and the person's pseudonym in it; `shown_for` None: the newest version does not hold her."""

    dataset: Listed
    pseudonym: bytes
    shown_for: tuple[str, ...] | None


def stand(store: Store, keys: Keys, subject: str, datasets: Iterable[Listed]) -> list[Mine]:
    """The person's place in each dataset's newest version: a bisection each. Blocking."""
    names: dict[UUID, bytes] = {}
    found = []
    for dataset in datasets:
        name = names.get(dataset.lineage_id)
        if name is None:
            name = names[dataset.lineage_id] = pseudonym(keys.lineage(dataset.lineage_id), subject)
        shown = shown_for(store, dataset.version_id, name)
        found.append(Mine(dataset=dataset, pseudonym=name, shown_for=shown))
    return found


def shown_for(store: Store, version_id: str, name: bytes) -> tuple[str, ...] | None:
    """Purposes for which a version was released with the person in it; None: she is not in it. Blocking."""
    cohort = store.cohort_of(version_id, name)
    return None if cohort is None else store.purposes_of(version_id, cohort)
