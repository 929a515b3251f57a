"""dp mode: what an expression over one person's record may be. It never fails, and its cost stays small.

What would fail is NULL (`sandbox.plan.total`), so no failure tells of a record, nor the time that one takes; a
function that can make one record cost a gigabyte or a second is not there, for that would tell by itself whether
the record is.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.plan.errors import Refusal
from sandbox.plan.functions import FUNCTIONS
from sandbox.plan.scope import nearest
from sandbox.plan.total import total
from sandbox.plan.tree import Call, Cast, ColumnRef, Constant, Expression, Operation, QueryTest
from sandbox.plan.walking import walk

_OVER_TEXT = """
lower upper length char_length strlen trim ltrim rtrim substr substring left right instr strpos position contains
starts_with ends_with prefix suffix split_part strip_accents ascii unicode md5 sha256
"""
_OVER_TEXT_NAMES = frozenset(_OVER_TEXT.split())
ALLOWED = frozenset(
    name for name, function in FUNCTIONS.items()
    if function.kind == "scalar" and function.total != "none" and function.cost == "cell"
) | _OVER_TEXT_NAMES  # fmt: skip
"""Functions whose cost is a cell's, and those over texts whose answer is no longer than what they get."""


TEXT_CHARACTERS = 200
"""Of a text in the question: a record could else be made long by it."""
TEXT_CALLS = 32
"""In one question, over texts of a record, the same ones once: each may take a third of a millisecond over the
longest text that a cell holds, and some thousand of them over one record would be seen."""
_MATCHED = frozenset({"like", "ilike", "like escape", "ilike escape"})


def place_of(node: Expression) -> tuple[int | None, int | None]:
    """Where the words of an expression begin, as far as the tree knows."""
    placed = (n for n in walk(node) if isinstance(n, ColumnRef | Call) and n.at is not None)
    return next(((n.at, n.end) for n in placed), (None, None))


def require_few_over_texts(nodes: Iterable[Expression]) -> None:
    """Refusal above TEXT_CALLS."""
    seen: set[Expression] = set()
    for node in nodes:
        for inner in walk(node):
            if isinstance(inner, Call):
                over_text = inner.name in _OVER_TEXT_NAMES
            else:
                over_text = isinstance(inner, Operation) and inner.symbol in _MATCHED
            if over_text:
                seen.add(inner)
            if len(seen) > TEXT_CALLS:
                raise Refusal("sql.private_work", *place_of(inner), limit=TEXT_CALLS)


def per_record(node: Expression) -> Expression:
    """The same expression, NULL where it would fail. Refusal for what may not stand over a person's record."""
    for inner in walk(node):
        if isinstance(inner, QueryTest):
            raise Refusal("sql.private_query", *place_of(inner), use="WHERE x IN ('a', 'b')")
        if isinstance(inner, Call) and (inner.kind != "scalar" or inner.name not in ALLOWED):
            use = nearest(inner.name, sorted(ALLOWED)) if inner.kind == "scalar" else "GROUP BY …"
            use = "GROUP BY a, b" if inner.name in {"concat", "concat_ws"} else use
            raise Refusal("sql.private_function", inner.at, inner.end, use=use or "CASE WHEN … THEN … END")
        if isinstance(inner, Operation) and inner.symbol == "||":
            raise Refusal("sql.private_function", *place_of(inner), use="GROUP BY a, b")
        if isinstance(inner, Constant) and len(inner.value) > TEXT_CHARACTERS:
            raise Refusal("sql.private_text", *place_of(node), limit=TEXT_CHARACTERS)
        # A constant interval stands in a cast; a calculated one, and a list, may be of any size.
        if inner.type.kind in {"LIST", "INTERVAL"} and not isinstance(inner, Cast | Call):
            raise Refusal("sql.private_function", *place_of(inner), use="date_diff('day', a, b)")
    return total(node)
