"""Step 3: what a query may take of each dataset, and so what it costs at most."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from catalog.version import Version
from marketplace.billing.price import Measured, Price, price
from marketplace.config import Config
from marketplace.queries.facts import Facts
from marketplace.queries.privacy import Spend


def at_most(
    config: Config, facts: Facts, size: int, spend: Spend | None, cap: int | None, *, deadline_ms: int
) -> Measured:
    """Bytes and ρ exactly; rows and CPU by what would end it. `cap`: records that may leave in all."""
    rows = config.result_max_rows
    if cap is not None:
        rows = min(rows, max(cap - facts.records_released, 0))
    return Measured(
        bytes=size,
        rho_micro=spend.rho_micro if spend else 0,
        rows=rows,
        cpu_us=deadline_ms * 1_000 * config.sandbox_threads,
    )


def priced(facts: Facts, most: Measured, spend: Spend | None, promised_vnd: Mapping[UUID, int] | None) -> Price:
    """By the offer agreed on, or for less by a quote; an answer bought before is free, and so is no offer: nothing
    is asked without one."""
    if facts.terms is None or (spend is not None and spend.stored is not None):
        return Price()
    found = price(facts.terms, most, facts.standing)
    return found if promised_vnd is None else found.at_most(promised_vnd[facts.agreement_id])


def rows_cap(config: Config, version: Version | None) -> int | None:
    """Records that may leave under an agreement in all; None: none do."""
    return config.rows_cap_multiple * version.rows if version and version.mode == "rows" else None


def logical_bytes(version: Version | None, reads: tuple[str, ...]) -> int:
    """Bytes of the columns read in the version as first released, each once (DESIGN §5)."""
    size = {c.name: c.logical_bytes for c in version.columns} if version else {}
    return sum(size[name] for name in reads)
