"""dp mode: what of a group key leaves the jail. No key may be of a kind or a size that ends the query."""

from __future__ import annotations

from sandbox.plan.bounded import calendar
from sandbox.plan.tree import Call, Cast, Constant, Expression
from sandbox.plan.types import BIGINT, VARCHAR

SHOWN_CHARACTERS = 100
"""Of a text that nobody declared."""
SHOWN_BYTES = 4 * SHOWN_CHARACTERS


def shown(key: Expression) -> Expression:
    """The key as it leaves: the beginning of a text; NULL for days outside a calendar from year 1 to 9999."""
    if key.type == VARCHAR:
        # The engine works `substring` out once for each text of a page's dictionary, but `left` for each record.
        first, characters = (Cast(BIGINT, Constant(BIGINT, str(number))) for number in (1, SHOWN_CHARACTERS))
        return Call(VARCHAR, "substring", "scalar", (key, first, characters))
    if key.type.kind not in {"DATE", "TIMESTAMP"}:
        return key
    return calendar(key)
