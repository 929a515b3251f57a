"""What a query took of what was held for it: its bill, and how it counts in its month then."""

from __future__ import annotations

from msgspec.structs import replace

from marketplace.db.together import Statement
from marketplace.queries.held import Held
from marketplace.queries.prepare import Prepared
from marketplace.spending.counting import Change, changed


def billed(held: Held, prepared: Prepared, *, records: int, cpu_us: int) -> Held:
    """The query at what it took, where an offer measures that: its price is what was held, or less."""
    prices = [line.billed(records=records, cpu_us=cpu_us) for line in prepared.lines]
    lines = (
        replace(row, quote_vnd=price.total_vnd, items=price.items, trial_vnd=price.trial_vnd)
        for row, price in zip(held.lines, prices, strict=True)
    )
    return replace(held, lines=tuple(lines))


def counted_less(at_most: Held, held: Held) -> list[Statement]:
    """In its month, if it took less than was held."""
    changes = [
        Change(
            agreement_id=row.agreement_id,
            vnd=row.quote_vnd - most.quote_vnd,
            trial_vnd=(row.trial_vnd or 0) - (most.trial_vnd or 0),
        )
        for most, row in zip(at_most.lines, held.lines, strict=True)
        if (row.quote_vnd, row.trial_vnd) != (most.quote_vnd, most.trial_vnd)
    ]
    return [changed(changes, person_id=held.person_id, month=held.month)] if changes else []


def uncounted(held: Held) -> Statement:
    """Free, it counts neither in its month nor in a trial."""
    changes = [
        Change(
            agreement_id=row.agreement_id,
            queries=-1,
            vnd=-row.quote_vnd,
            trial_queries=0 if row.trial_vnd is None else -1,
            trial_vnd=-(row.trial_vnd or 0),
        )
        for row in held.lines
    ]
    return changed(changes, person_id=held.person_id, month=held.month)
