"""Checked again outside: what a jail made of strangers' values, before it is put in place.

That jail has read what a stranger sent, so it may have become anybody's: that k, ℓ and the rule between versions
hold is not taken from it. The broker reads its own copy of the persons, the finished files and the lineage's book.
"""

from __future__ import annotations

from catalog.cohorts import Ints
from catalog.history import History
from catalog.intake import Intake
from catalog.limits import IngestLimits
from catalog.making import Made, anonymise_order
from catalog.manifest import Manifest
from catalog.past import Past
from catalog.recheck.files import check_files
from catalog.recheck.lineage import check_lineage
from catalog.recheck.persons import check_persons


def recheck(
    manifest: Manifest, intake: Intake, mask: Ints, made: Made, history: History | None, past: Past | None,
    limits: IngestLimits,
) -> None:  # fmt: skip
    """`past`: the book's, with rows of the new file. Raises PublicationRefused that names the broken promise."""
    order = anonymise_order(manifest, intake.digest, limits)
    if past is not None:
        past = past.fitted(made.values.shape[1], made.contributes.shape[1])
    content = check_persons(order, intake.persons, mask, made, past)
    check_files(order, made, content)
    if history is not None and past is not None:
        check_lineage(made, past, history.since_ms == 0, k=order.k, l=order.l, narrow=order.mode == "rows")
