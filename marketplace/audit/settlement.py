"""What a query cost, as facts that open one by one: time and memory are the startup's affair, shares the owners'.

Nothing is stored twice: they are read again from `usage` and `transfer`, which nobody can change, and salted from
the seed of the decision. The event holds the root of their tree (`settled` in its body).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.facttree import SEED_BYTES, Salted

PURPOSE = b"sandulieu settlement/1"
MEASURED = ("wall_us", "cpu_us", "peak_memory_bytes")
OPENED = {"startup": ("usage", "ledger.query_charge"), "owner": ("ledger.share_owner", "ledger.share_partner")}
"""By edition, names or what they begin with; the regulator's opens all."""
_USAGE = text("""
    SELECT wall_us, cpu_us, peak_memory_bytes FROM usage WHERE query_id = :query_id AND dataset_id = :dataset_id
""")
POSTED = ("query_charge", "share_owner", "share_partner", "share_state", "share_tax")
"""Codes of the transfers that a settlement makes: a credit note books others of the same query, later."""
_TRANSFERS = text("""
    SELECT code, id, amount FROM transfer
    WHERE query_id = :query_id AND dataset_id = :dataset_id AND code = ANY(CAST(:codes AS text[]))
        AND kind IN ('post', 'single')
""")


class Posted(Struct, frozen=True):
    """A transfer that the settlement made."""

    code: str
    id: UUID
    amount: int


def settled_tree(usage: Mapping[str, int], posted: Iterable[Posted], seed: bytes) -> Salted:
    """`usage` has at least what is MEASURED; `seed`: of the decision's own facts."""
    values: dict[str, object] = {f"usage.{name}": usage[name] for name in MEASURED}
    for each in posted:
        values[f"ledger.{each.code}.id"] = str(each.id)
        values[f"ledger.{each.code}.amount"] = each.amount
    told = {name: msgspec.json.encode(value).decode() for name, value in sorted(values.items())}
    return Salted(told, hashlib.blake2b(PURPOSE, key=seed, digest_size=SEED_BYTES).digest())


async def read_settled(session: AsyncSession, query_id: UUID, dataset_id: UUID, seed: bytes) -> Salted | None:
    """As it was settled; None where there is no usage of it."""
    of = {"query_id": query_id, "dataset_id": dataset_id}
    usage = (await session.execute(_USAGE, of)).mappings().first()
    made = await session.execute(_TRANSFERS, {**of, "codes": list(POSTED)})
    posted = [Posted(row.code, row.id, row.amount) for row in made]
    return None if usage is None else settled_tree({name: usage[name] for name in MEASURED}, posted, seed)


def opens_settled(edition: str, name: str) -> bool:
    """Whether this party's edition opens the fact of that name."""
    parts = OPENED.get(edition)
    return parts is None or any(name == part or name.startswith(f"{part}.") for part in parts)
