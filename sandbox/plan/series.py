"""range(…) and generate_series(…) in FROM: rows of whole numbers or moments, worked out here, so few."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from sqlglot import exp

from .context import Context
from .dialect import place
from .errors import Refusal
from .expressions import read
from .limits import IN_LIST
from .scope import Scope
from .tree import Cast, Constant, Expression, Item, Query, Select, Values
from .types import BIGINT, BOOLEAN, NULL, TIMESTAMP, VARCHAR

SERIES = frozenset({"range", "generate_series"})
_USE = {
    "range": "range(0, 10)",
    "generate_series": "generate_series(DATE '2026-01-01', DATE '2026-01-31', INTERVAL 1 DAY)",
}
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400, "WEEK": 604_800}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def read_series(node: exp.Expression, context: Context) -> Query:
    """The rows, in one column with the function's name. Refusal unless all arguments are constants."""
    name = node.name.lower()
    given = [read(one, Scope(), context) for one in node.expressions]
    wrong = Refusal("sql.wrong_arguments", *place(node), use=_USE[name])
    try:
        values = (
            _moments(given, name)
            if len(given) == 3 and given[2].type.kind == "INTERVAL"
            else _numbers(given, name)
        )
        found = list(islice(values, IN_LIST + 1))
    except (ValueError, OverflowError) as error:
        raise wrong from error
    if len(found) > IN_LIST:
        raise Refusal("sql.list_too_long", *place(node), limit=IN_LIST)
    context.grow(*place(node), len(found))
    kind = TIMESTAMP if given[-1].type.kind == "INTERVAL" else BIGINT
    if not found:
        nothing = Item(name, Cast(kind, Constant(NULL, "null")))
        return Select((nothing,), None, where=Constant(BOOLEAN, "false"))
    return Values(tuple((Cast(kind, Constant(VARCHAR, text)),) for text in found), ((name, kind),))


def _numbers(given: list[Expression], name: str) -> Iterator[str]:
    numbers = [_number(one) for one in given]
    if not 1 <= len(numbers) <= 3:
        raise ValueError(numbers)
    first, last = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) == 3 else 1
    end = last if name == "range" else last + (1 if step > 0 else -1)
    return map(str, range(first, end, step))


def _number(node: Expression) -> int:
    if not isinstance(node, Constant) or node.type.kind not in {"INTEGER", "BIGINT"}:
        raise ValueError(node)
    return int(node.value)


def _moments(given: list[Expression], name: str) -> Iterator[str]:
    first, last = (datetime.fromisoformat(_written(one, {"DATE", "TIMESTAMP"})) for one in given[:2])
    amount, unit = _written(given[2], {"INTERVAL"}).split()
    if int(amount) <= 0:
        raise ValueError(amount)
    return _between(first, last, _step(int(amount), unit), whole=name == "generate_series")


def _written(node: Expression, kinds: set[str]) -> str:
    if not isinstance(node, Cast) or node.type.kind not in kinds or not isinstance(node.operand, Constant):
        raise ValueError(node)
    return node.operand.value.strip()


def _step(amount: int, unit: str) -> Callable[[datetime], datetime]:
    if unit in _SECONDS:
        length = timedelta(seconds=amount * _SECONDS[unit])
        return lambda at: at + length
    months = amount * _MONTHS[unit]

    def later(at: datetime) -> datetime:
        # As the engine goes on from each moment: from 31 January to 29 February, and then to 29 March.
        year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
        return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))

    return later


def _between(
    first: datetime, last: datetime, step: Callable[[datetime], datetime], *, whole: bool
) -> Iterator[str]:
    at = first
    while at < last or (whole and at == last):
        yield at.isoformat(" ")
        at = step(at)
