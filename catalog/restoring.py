"""A lineage whose book is lost: only the very same version, made once more, can give it back.

Without the book nobody knows who was shown as what, and it cannot be read from the files: a cohort's values are
not anybody's. But the same file gives the same cohorts; so where a first version gives its files again
to the byte, with the same persons in the same cohorts, what was just learned of them is what the book had said.
"""

from __future__ import annotations

import numpy as np

from catalog.coding import require_same_coding
from catalog.errors import PublicationRefused, VersionDamaged
from catalog.history import History, read_history
from catalog.intake import Intake
from catalog.making import Made
from catalog.manifest import Manifest
from catalog.storage import Store
from catalog.subjects import Subjects
from catalog.version import Version


def read_book(store: Store, previous: str | None, manifest: Manifest) -> tuple[History | None, Version | None]:
    """The book of the newest version, or that version where its book is lost and can be had again.

    Raises PublicationRefused: `publication.book_lost` where the lineage has older versions than that, for what
    they showed stands nowhere else; `publication.coding_changed` where the book is of another coding."""
    if previous is None:
        return None, None
    try:
        history = read_history(store.private(previous))
    except VersionDamaged as damaged:
        version = store.version(previous)
        if version.parent is not None:
            raise PublicationRefused("publication.book_lost", version=previous[:12]) from damaged
        return None, version
    require_same_coding(manifest, history, store.version(previous))
    return history, None


def require_the_same(store: Store, lost: Version, made: Made, intake: Intake) -> None:
    """Raises PublicationRefused (`publication.book_differs`) unless this is that version once more."""
    same = [part.sha256 for part in made.parts] == [part.sha256 for part in lost.parts]
    file = store.private(lost.id) / "subjects.bin"
    if same and intake.pseudonyms is not None and intake.ascending is not None:
        rows = intake.ascending[made.cohort[intake.ascending] >= 0]
        names, cohort = Subjects(file).all()
        same = np.array_equal(names, intake.pseudonyms[rows]) and np.array_equal(cohort, made.cohort[rows])
    if not same:
        raise PublicationRefused("publication.book_differs", version=lost.id[:12])
