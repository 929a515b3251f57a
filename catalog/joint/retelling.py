"""What is said of a joint version, counted by the broker itself from the files and the cohorts.

What a jail says of its work is shown to everybody (types, bytes, figures, a sample). Of one owner's file it could
give away only that owner's own. Here it holds two owners' persons, and its word would be one's way to the other's.
"""

from __future__ import annotations

import pyarrow as pa
from msgspec import Struct
from msgspec.structs import asdict, replace
from pyarrow import parquet

from catalog.arriving import require_rows
from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.making import Made
from catalog.manifest import Manifest
from catalog.reading import STORED_TYPE
from catalog.version import LeftOut
from catalog.widths import logical_bytes
from catalog.wire import AnonymiseReply, MeasureReply

_TYPES = {
    pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE", pa.timestamp("us"): "TIMESTAMP",
}  # fmt: skip
_ROWS_AT_ONCE = 65_536
"""All texts of a file at once, unfolded, would be many times the file."""
REASONS = frozenset({
    "publication.too_identifying", "publication.sensitive_too_identifying", "publication.too_few_persons",
    "publication.all_wait", "publication.measured_short", "publication.promise_broken",
})  # fmt: skip
"""Refusals whose code is told; any other, which only a jail that is not ours could give, is told as not whole."""


class Band(Struct, frozen=True, kw_only=True):
    """How many persons were in both files: `at_least` so many, and fewer than `below`."""

    at_least: int
    below: int


def band_of(persons: int, k: int) -> Band:
    """The first digit only, and never finer than k."""
    width: int = max(k, 10 ** (len(str(persons)) - 1))
    least = persons // width * width
    return Band(at_least=least, below=least + width)


def retold(manifest: Manifest, made: Made, mask: Ints) -> Made:
    """With a reply in which nothing is the jail's word. Raises PublicationRefused for files that are none."""
    measures = [c.sql_name for c in manifest.columns_of("measure")] if manifest.mode == "aggregate" else []
    sizes: dict[str, int] = {}
    types: dict[str, str] = {}
    for part in made.parts:
        try:
            require_rows(part.path, part.rows)
            with parquet.ParquetFile(part.path) as file:
                types |= {field.name: _TYPES[field.type] for field in file.schema_arrow}
                for batch in file.iter_batches(_ROWS_AT_ONCE):
                    for name, size in logical_bytes(pa.Table.from_batches([batch]), measures).items():
                        sizes[name] = sizes.get(name, 0) + size
        except (pa.ArrowException, OSError, KeyError) as e:
            raise PublicationRefused("publication.not_whole") from e
    inside = made.cohort >= 0
    hidden = {name: said for name, said in made.reply.types.items() if said in STORED_TYPE.values()}
    shown = {c.sql_name for c in manifest.shown_columns()}
    reply = AnonymiseReply(
        persons=int(inside.sum()),
        cohorts=len(made.ranges),
        rows=sum(part.rows for part in made.parts),
        fine_persons=int((made.level[made.cohort[inside]] == 0).sum()),
        left_out_persons=int(((mask != 0) & ~inside).sum()),
        types={name: said for name, said in (hidden | types).items() if name in shown},
        logical_bytes={name: size for name, size in sizes.items() if name in shown},
    )
    if not shown_columns(manifest) <= reply.logical_bytes.keys():
        raise PublicationRefused("publication.not_whole")
    return replace(made, reply=reply)


def remeasured(reply: MeasureReply) -> MeasureReply:
    """With as few digits as anybody needs."""
    if reply.risk is None:
        return reply
    sensitive = tuple(
        replace(one, **{f: round(v, 1) for f, v in asdict(one).items() if isinstance(v, float)})
        for one in reply.risk.sensitive
    )
    return replace(reply, risk=replace(reply.risk, sensitive=sensitive))


def left_out_of(reply: AnonymiseReply) -> LeftOut:
    """Whole tenths, rounded down: nobody who waits alone, or who is in both files alone, shows in it."""
    share = reply.left_out_persons / (reply.persons + reply.left_out_persons)
    return LeftOut(persons=0, classes=0, share=int(10 * share) / 10)


def told_refusal(refused: PublicationRefused, manifest: Manifest) -> PublicationRefused:
    """Without any figure: counts of those who are in both files, and words that a jail chose, stay here."""
    cause = refused.code if refused.code in REASONS else "publication.not_whole"
    named = refused.params.get("column")
    column = named if named in {c.sql_name for c in manifest.shown_columns()} else "—"
    return PublicationRefused(
        "publication.joint_not_formed", cause=cause, column=column, k=manifest.k, l=manifest.l
    )


def shown_columns(manifest: Manifest) -> set[str]:
    """Names of the columns that the files must have."""
    roles = ("quasi-identifier", "measure") if manifest.mode == "aggregate" else ("quasi-identifier", "sensitive")
    return {c.sql_name for c in manifest.shown_columns() if c.role in roles}
