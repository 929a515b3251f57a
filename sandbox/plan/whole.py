"""Arithmetic over whole numbers, in a form that never raises and costs what it would without.

Where its form alone says that it cannot overflow (`ranges`), it stays as it is. Where it could only for columns of
very large numbers, those records are reckoned in a wider type, and all others as they are. Both say the same.
"""

from __future__ import annotations

from collections.abc import Callable

from .ranges import columns_of, fits, is_whole_arithmetic
from .reckoning import reckoned
from .tree import Cast, ColumnRef, Constant, Expression, Operation
from .types import BIGINT, BOOLEAN
from .walking import walk

_BITS = range(61, 20, -1)
"""Of the numbers beyond which a record is reckoned in a wider type: as many as do."""
_TERMS = 32
"""Of an arithmetic that is written twice: what is longer costs more to write than it saves."""


def arithmetic(node: Operation, total: Callable[[Expression], Expression]) -> Expression:
    """`node` is_whole_arithmetic; `total` makes the total form of what is none."""
    plain = _plain(node, total)
    if fits(plain, {}):
        return plain
    wide = widened(plain)
    columns = [column for column in columns_of(plain) if column.type == BIGINT]
    bits = next((bits for bits in _BITS if fits(plain, dict.fromkeys(columns, (-(2**bits), 2**bits)))), None)
    if bits is None or sum(1 for _ in walk(plain)) > _TERMS:
        return wide
    return Operation(node.type, "case", (_within(columns, bits), plain, wide))


def widened(node: Expression) -> Expression:
    """Every step that may overflow in a wider type, and back."""
    if not isinstance(node, Operation) or not is_whole_arithmetic(node):
        return node
    return reckoned(Operation(node.type, node.symbol, tuple(map(widened, node.operands))))


def _plain(node: Operation, total: Callable[[Expression], Expression]) -> Operation:
    operands = (
        _plain(each, total) if isinstance(each, Operation) and is_whole_arithmetic(each) else total(each)
        for each in node.operands
    )
    return Operation(node.type, node.symbol, tuple(operands))


def _within(columns: list[ColumnRef], bits: int) -> Operation:
    ends = tuple(Cast(BIGINT, Constant(BIGINT, str(end))) for end in (-(2**bits), 2**bits))
    tests = tuple(Operation(BOOLEAN, "between", (column, *ends)) for column in columns)
    return Operation(BOOLEAN, "and", tests) if len(tests) > 1 else tests[0]
