"""How a lineage shows its persons: the same in every version.

The rule between versions (`catalog.lineage`) speaks of data that a version showed and the next one shows or does
not. Under another coding the same persons stand in other classes, so everybody would be dealt afresh across the
old cohorts: what bins from 45 and bins from 46 tell, subtracted, is of those who are 45. Hence a digest of the
coding is kept in the lineage's book, and another one is refused.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct, structs

from catalog.errors import PublicationRefused
from catalog.history import History
from catalog.limits import IngestLimits
from catalog.making import anonymise_order
from catalog.manifest import Manifest, ManifestColumn
from catalog.transforms import describe
from catalog.version import Version


def coding_digest(manifest: Manifest) -> bytes:
    """SHA-256 of all that decides as what a person of a file is shown, k and ℓ apart. Not in dp mode."""
    order = anonymise_order(manifest, b"", IngestLimits())
    columns = [
        (c.name, c.type, c.role, c.reads, [t and _said(t) for t in (c.fine, *c.coarser)]) for c in order.columns
    ]
    events = {name: _said(event) for name, event in manifest.events.items()}
    named = (order.mode, order.followed, manifest.subject_key)
    told = msgspec.json.encode((named, columns, order.hierarchies, order.pairs, events), order="sorted")
    return hashlib.sha256(told).digest()


def _said(struct: Struct) -> dict[str, object]:
    """Without defaults: a field that is added later must not make another coding of every book's."""
    return {f.name: value for f in structs.fields(struct) if (value := getattr(struct, f.name)) != f.default}


def require_same_coding(manifest: Manifest, history: History, newest: Version) -> None:
    """Raises PublicationRefused (`publication.coding_changed`).

    Books kept before they held a digest are judged by what the newest version says of its columns."""
    if history.coding:
        same = history.coding == coding_digest(manifest)
    else:
        before = {c.name: (c.role, c.transform) for c in newest.columns}
        now = {c.sql_name: (c.published_role, words_of(c)) for c in manifest.shown_columns()}
        hidden = {name for name, (role, _) in now.items() if role == "sensitive" and manifest.mode == "aggregate"}
        same = before == {name: said for name, said in now.items() if name not in hidden}
    if not same:
        raise PublicationRefused("publication.coding_changed", version=newest.id[:12])


def words_of(column: ManifestColumn) -> str:
    """What a version says of how a column is shown, level by level."""
    return " | ".join(describe(t) for t in (column.transform, *column.fallbacks))
